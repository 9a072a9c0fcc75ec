"""Stored policies and bindings, read into what an evaluation needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from certwright.apiserver import objects
from certwright.apiserver.admission.matching import Rule, covered, is_selected, label_selector, parse_rule
from certwright.apiserver.admission.policies.programs import Program, compile_program
from certwright.apiserver.admission.review import Review
from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.cel_expressions import Environment
from certwright.apiserver.served import Served
from certwright.apiserver.storage.store import Store
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.selectors import LabelSelector


class NamedRule(Struct, frozen=True):
    """Operations on resources, for all objects or for those of some names."""

    rule: Rule
    names: frozenset[str]


class Match(Struct, frozen=True):
    """Which writes are concerned; without rules all that others let through."""

    rules: tuple[NamedRule, ...]
    excluded: tuple[NamedRule, ...]
    is_equivalent: bool
    namespaces: LabelSelector
    labels: LabelSelector

    def version(self, review: Review, served: Served, store: Store) -> Definition | None:
        """The version in which the write is to be seen; None where it is not concerned."""
        if not is_selected(review, self.labels, self.namespaces, store):
            return None
        if self.excluded and self._covered(self.excluded, review, served):
            return None
        return self._covered(self.rules, review, served) if self.rules else review.definition

    def _covered(self, rules: tuple[NamedRule, ...], review: Review, served: Served) -> Definition | None:
        def covers(operation: str, definition: Definition, subresource: str) -> bool:
            return any(
                (not each.names or review.name in each.names) and each.rule.covers(operation, definition, subresource)
                for each in rules
            )

        return covered(review, served, self.is_equivalent, covers)


class Parameter(Struct, frozen=True):
    """Which objects hold parameters: one of a name, or those of a selector."""

    name: str
    namespace: str
    selector: LabelSelector | None
    may_be_missing: bool


class Binding(Struct, frozen=True):
    """Puts a policy into force; `actions` are Deny, Warn and Audit."""

    name: str
    parameter: Parameter | None
    match: Match
    actions: frozenset[str]


class Validation(Struct, frozen=True):
    """A rule, and what is said where it is broken."""

    rule: Program
    message: str
    message_program: Program | None
    reason: str


class Mutation(Struct, frozen=True):
    """A change: a JSON patch, or what is applied."""

    patch_type: Literal["ApplyConfiguration", "JSONPatch"]
    change: Program


class Policy(Struct, frozen=True, kw_only=True):
    """A policy of either sort, with its bindings."""

    name: str
    match: Match
    ignores_faults: bool
    parameter_kind: tuple[str, str] | None
    """apiVersion and kind."""
    conditions: tuple[Program, ...]
    variables: Mapping[str, Program]
    validations: tuple[Validation, ...]
    mutations: tuple[Mutation, ...]
    bindings: tuple[Binding, ...]


def parse_policy(env: Environment, policy: JSONObject, bindings: tuple[JSONObject, ...]) -> Policy:
    """The policy with those of the bindings that are of it."""
    name, spec = objects.text(objects.meta(policy), "name"), objects.child(policy, "spec")
    kind = objects.child(spec, "paramKind")
    named = objects.children(spec, "variables")
    return Policy(
        name=name,
        match=_match(objects.child(spec, "matchConstraints")),
        ignores_faults=spec.get("failurePolicy") == "Ignore",
        parameter_kind=(objects.text(kind, "apiVersion"), objects.text(kind, "kind")) if kind else None,
        conditions=tuple(_program(env, each, "bool") for each in objects.children(spec, "matchConditions")),
        variables={objects.text(each, "name"): _program(env, each, "any") for each in named},
        validations=tuple(_validation(env, each) for each in objects.children(spec, "validations")),
        mutations=tuple(_mutation(env, each) for each in objects.children(spec, "mutations")),
        bindings=tuple(
            _binding(each) for each in bindings if objects.text(objects.child(each, "spec"), "policyName") == name
        ),
    )


def _program(env: Environment, entry: JSONObject, answer: Literal["bool", "any"]) -> Program:
    return compile_program(env, objects.text(entry, "expression"), answer)


def _validation(env: Environment, entry: JSONObject) -> Validation:
    message = objects.text(entry, "messageExpression")
    return Validation(
        rule=_program(env, entry, "bool"),
        message=objects.text(entry, "message"),
        message_program=compile_program(env, message, "string") if message else None,
        reason=objects.text(entry, "reason") or "Invalid",
    )


def _mutation(env: Environment, entry: JSONObject) -> Mutation:
    if objects.text(entry, "patchType") == "JSONPatch":
        return Mutation("JSONPatch", _program(env, objects.child(entry, "jsonPatch"), "any"))
    return Mutation("ApplyConfiguration", _program(env, objects.child(entry, "applyConfiguration"), "any"))


def _binding(binding: JSONObject) -> Binding:
    spec = objects.child(binding, "spec")
    reference = objects.child(spec, "paramRef")
    return Binding(
        name=objects.text(objects.meta(binding), "name"),
        parameter=_parameter(reference) if reference else None,
        match=_match(objects.child(spec, "matchResources")),
        actions=frozenset(objects.texts(spec, "validationActions")),
    )


def _parameter(reference: JSONObject) -> Parameter:
    selector = reference.get("selector")
    return Parameter(
        name=objects.text(reference, "name"),
        namespace=objects.text(reference, "namespace"),
        selector=label_selector(selector) if isinstance(selector, dict) else None,
        may_be_missing=reference.get("parameterNotFoundAction") == "Allow",
    )


def _match(matching: JSONObject) -> Match:
    rules, excluded = (
        tuple(_named_rule(each) for each in objects.children(matching, name))
        for name in ("resourceRules", "excludeResourceRules")
    )
    return Match(
        rules=rules,
        excluded=excluded,
        is_equivalent=matching.get("matchPolicy", "Equivalent") == "Equivalent",
        namespaces=label_selector(objects.child(matching, "namespaceSelector")),
        labels=label_selector(objects.child(matching, "objectSelector")),
    )


def _named_rule(rule: JSONObject) -> NamedRule:
    return NamedRule(parse_rule(rule), frozenset(objects.texts(rule, "resourceNames")))
