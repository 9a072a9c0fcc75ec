"""The policies that are stored at the moment, evaluated over each write that they concern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from certwright.apiserver.admission.policies.authorizer import Authorizer
from certwright.apiserver.admission.policies.mutating import mutated
from certwright.apiserver.admission.policies.parameters import Misconfigured, Parameters
from certwright.apiserver.admission.policies.parsing import Binding, Policy, parse_policy
from certwright.apiserver.admission.policies.programs import VARIABLES, Evaluation
from certwright.apiserver.admission.policies.refusals import mutation_refused, validation_refused
from certwright.apiserver.admission.policies.validating import Broken, broken_rules, concerns
from certwright.apiserver.admission.request import admission_request
from certwright.apiserver.admission.review import Review
from certwright.apiserver.auth.rights import Rights
from certwright.apiserver.conversion import convert
from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.cel_expressions import Fault, open_environment
from certwright.apiserver.served import Served
from certwright.apiserver.storage.history import Change
from certwright.apiserver.storage.store import Store
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import NAMESPACES
from certwright.kube.wire.status import ApiError

_GROUP = "admissionregistration.k8s.io"
Sort = Literal["mutating", "validating"]


class Case(Struct, frozen=True):
    """A binding that is concerned, and the version in which its policy sees the write."""

    sort: Sort
    policy: Policy
    binding: Binding
    version: Definition

    @property
    def shown(self) -> str:
        """In messages."""
        return f"ValidatingAdmissionPolicy '{self.policy.name}' with binding '{self.binding.name}'"


class Policies:
    """Compiled once, until one of their sort or a binding changes."""

    def __init__(self, store: Store, served: Served, rights: Rights) -> None:
        self._store = store
        self._served = served
        self._parameters = Parameters(store, served)
        self._authorizer = Authorizer(rights)
        self._env = open_environment(VARIABLES, self._authorizer.functions())
        self._known: dict[Sort, list[Policy]] = {}
        for sort in ("mutating", "validating"):
            store.listen(f"{sort}admissionpolicies.{_GROUP}", self._forget)
            store.listen(f"{sort}admissionpolicybindings.{_GROUP}", self._forget)

    def _forget(self, _change: Change) -> None:
        self._known.clear()

    def _policies(self, sort: Sort) -> list[Policy]:
        known = self._known.get(sort)
        if known is None:
            bindings = tuple(each.obj() for each in self._store.list(f"{sort}admissionpolicybindings.{_GROUP}"))
            stored = self._store.list(f"{sort}admissionpolicies.{_GROUP}")
            known = self._known[sort] = [parse_policy(self._env, each.obj(), bindings) for each in stored]
        return known

    async def mutate(self, review: Review) -> JSONObject:
        """The object after the changes of all mutating policies that are concerned."""
        for case in self._cases("mutating", review):
            for parameter in self._parameters_of(case, review):
                review = replace(review, obj=self._changed(case, review, parameter))
        assert review.obj is not None
        return review.obj

    def _changed(self, case: Case, review: Review, parameter: JSONObject | None) -> JSONObject | None:
        policy, version = case.policy, case.version
        concerned = concerns(policy, self._evaluation(case, review, parameter))
        if concerned is False:
            return review.obj
        changed: JSONObject | Fault = concerned if isinstance(concerned, Fault) else self._shown(case, review)
        for mutation in policy.mutations:
            if not isinstance(changed, Fault):
                review = replace(review, obj=convert(changed, version, review.definition))
                changed = mutated(mutation, self._evaluation(case, review, parameter), changed, version)
        if not isinstance(changed, Fault):
            return convert(changed, version, review.definition)
        if not policy.ignores_faults:
            raise mutation_refused(review, policy.name, case.binding.name, changed.why)
        return review.obj

    def _shown(self, case: Case, review: Review) -> JSONObject:
        assert review.obj is not None
        return convert(review.obj, review.definition, case.version)

    async def validate(self, review: Review) -> None:
        """Raise where a validating policy refuses; warnings go to the client."""
        refusal: ApiError | None = None
        for case in self._cases("validating", review):
            for broken in self._broken(case, review):
                if "Warn" in case.binding.actions:
                    review.warnings.append(f"Validation failed for {case.shown}: {broken.message}")
                if "Deny" in case.binding.actions and refusal is None:
                    refusal = validation_refused(review, case.shown, broken.message, broken.reason)
        if refusal is not None:
            raise refusal

    def _broken(self, case: Case, review: Review) -> Iterator[Broken]:
        for parameter in self._parameters_of(case, review):
            yield from broken_rules(case.policy, self._evaluation(case, review, parameter))

    def _cases(self, sort: Sort, review: Review) -> Iterator[Case]:
        """The bindings that are concerned, in the order of their policies."""
        # A policy must not be able to stop its own removal.
        if review.definition.resource.group == _GROUP:
            return
        for policy in self._policies(sort):
            version = policy.match.version(review, self._served, self._store) if policy.bindings else None
            for binding in policy.bindings if version is not None else ():
                if version is not None and binding.match.version(review, self._served, self._store) is not None:
                    yield Case(sort, policy, binding, version)

    def _parameters_of(self, case: Case, review: Review) -> list[JSONObject | None]:
        policy, binding = case.policy, case.binding
        try:
            return self._parameters.of(policy, binding, review.namespace)
        except Misconfigured as error:
            if policy.ignores_faults:
                return []
            if case.sort == "mutating":
                raise mutation_refused(review, policy.name, binding.name, str(error)) from error
            raise validation_refused(review, case.shown, str(error), "Invalid") from error

    def _evaluation(self, case: Case, review: Review, parameter: JSONObject | None) -> Evaluation:
        version = case.version
        values: Mapping[str, object] = {
            "object": None if review.obj is None else convert(review.obj, review.definition, version),
            "oldObject": None if review.old is None else convert(review.old, review.definition, version),
            "request": admission_request(review, version),
            "params": parameter,
            "namespaceObject": self._namespace(review),
            "authorizer": self._authorizer.question(review),
        }
        return Evaluation(self._env, case.policy.variables, values)

    def _namespace(self, review: Review) -> JSONObject | None:
        if not review.namespace or review.definition.resource == NAMESPACES:
            return None
        found = self._store.get(NAMESPACES.qualified, ObjectKey("", review.namespace))
        return found.obj() if found else None
