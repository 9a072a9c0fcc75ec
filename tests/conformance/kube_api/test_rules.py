"""`x-kubernetes-validations`: CEL rules of custom resources."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.definitions import definition, small_version
from tests.conformance.kube_api.objects import GROUP, causes, grouped
from tests.conformance.kube_api.rule_expressions import OBJECT, TRUE
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Answer, Http

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RULES = "x-kubernetes-validations"
TEXT = {"type": "string", "maxLength": 10}
NUMBER = {"type": "integer"}


class Ruled:
    """Objects of a kind whose spec has rules."""

    def __init__(self, http: Http, namespace: str, plural: str) -> None:
        self.http = http
        self.definition = f"{DEFINITIONS}/{plural}.{GROUP}"
        self.kind = plural.capitalize()[:-1]
        self.collection = grouped(f"{GROUP}/v1", namespace, plural)

    def body(self, spec: dict[str, Any]) -> dict[str, Any]:
        """An object named `a`."""
        return {"apiVersion": f"{GROUP}/v1", "kind": self.kind, "metadata": {"name": "a"}, "spec": spec}

    async def create(self, spec: dict[str, Any]) -> Answer:
        """POST."""
        return await self.http.post(self.collection, self.body(spec))

    async def change(self, patch: dict[str, Any]) -> Answer:
        """A merge patch of `a`."""
        return await self.http.patch(f"{self.collection}/a", patch)


Maker = Callable[[dict[str, Any]], Awaitable[Ruled]]


@pytest.fixture
def ruled(cluster: Cluster, http: Http, ns: str) -> Maker:
    """Makes a kind whose spec has these properties."""

    async def make(properties: dict[str, Any]) -> Ruled:
        plural = f"r{uuid.uuid4().hex[:8]}s"
        await cluster.install_crd(definition(plural, plural.capitalize()[:-1], [small_version(properties)]))
        made = Ruled(http, ns, plural)

        async def is_served() -> bool:
            return (await http.get(made.collection)).code == 200

        await eventually(is_served)
        return made

    return make


def ruled_text(*rules: dict[str, Any]) -> dict[str, Any]:
    return {**TEXT, RULES: list(rules)}


def ruled_object(properties: dict[str, Any], *rules: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, RULES: list(rules)}


async def test_a_broken_rule_is_a_cause_at_its_field(ruled: Maker) -> None:
    kind = await ruled(
        {
            "text": ruled_text({"rule": "self.size() < 2"}),
            "number": {**NUMBER, RULES: [{"rule": "self < 5", "message": "too many", "reason": "FieldValueForbidden"}]},
            "list": {"type": "array", "maxItems": 5, "items": TEXT, RULES: [{"rule": "self.size() < 2"}]},
            "map": {"type": "object", "additionalProperties": TEXT, RULES: [{"rule": "self.size() < 1"}]},
            "needed": ruled_text({"rule": "self != ''", "reason": "FieldValueRequired"}),
            "twin": ruled_text({"rule": "self != 'x'", "reason": "FieldValueDuplicate"}),
            "ratio": {"type": "number", RULES: [{"rule": "self < 1.0"}]},
            "either": {"x-kubernetes-int-or-string": True, RULES: [{"rule": "self == 1 || self == 'a'"}]},
        }
    )
    spec = {"text": "abc", "number": 7, "list": ["a", "b"], "map": {"k": "v"}, "needed": "", "twin": "x"}

    answer = await kind.create({**spec, "ratio": 2, "either": 2})

    assert answer.code == 422
    assert sorted(causes(answer.body)) == [
        ("FieldValueDuplicate", "spec.twin", 'Duplicate value: "x"'),
        ("FieldValueForbidden", "spec.number", "Forbidden: too many"),
        ("FieldValueInvalid", "spec.either", "Invalid value: 2: failed rule: self == 1 || self == 'a'"),
        ("FieldValueInvalid", "spec.list", "Invalid value: failed rule: self.size() < 2"),
        ("FieldValueInvalid", "spec.map", "Invalid value: failed rule: self.size() < 1"),
        ("FieldValueInvalid", "spec.ratio", "Invalid value: 2: failed rule: self < 1.0"),
        ("FieldValueInvalid", "spec.text", 'Invalid value: "abc": failed rule: self.size() < 2'),
        ("FieldValueRequired", "spec.needed", "Required value: failed rule: self != ''"),
    ]


async def test_values_have_the_types_of_their_formats(ruled: Maker) -> None:
    kind = await ruled(
        {
            "bytes": {**TEXT, "format": "byte", RULES: [{"rule": "self == b'ab'"}]},
            "span": {**TEXT, "format": "duration", RULES: [{"rule": "self < duration('1h')"}]},
            "moment": {"type": "string", "format": "date-time", RULES: [{"rule": "self.getFullYear() < 2000"}]},
            "inner": ruled_object({"bytes": {**TEXT, "format": "byte"}}, {"rule": "self.bytes == b'ab'"}),
            "in": ruled_object({"namespace": TEXT, "a-b": TEXT}, {"rule": "self.__namespace__ == self.a__dash__b"}),
        }
    )
    good = {"bytes": "YWI=", "span": "1m30s", "moment": "1999-01-01T00:00:00Z", "inner": {"bytes": "YWI="}}
    bad = {"bytes": "YWM=", "span": "2h", "moment": "2020-01-01T00:00:00Z", "inner": {"bytes": "YWM="}}

    refused = await kind.create({**bad, "in": {"namespace": "a", "a-b": "b"}})
    created = await kind.create({**good, "in": {"namespace": "a", "a-b": "a"}})

    assert {field for _, field, _ in causes(refused.body)} == {f"spec.{name}" for name in (*bad, "in")}
    assert created.code == 201


async def test_items_of_lists_and_maps_have_rules(ruled: Maker) -> None:
    rule = {"rule": "self != 'x'", "message": "no x"}
    item = ruled_object({"p": TEXT}, {"rule": "self.p != 'x'", "message": "no x here", "fieldPath": ".p"})
    kind = await ruled(
        {
            "map": {"type": "object", "maxProperties": 5, "additionalProperties": {**TEXT, RULES: [rule]}},
            "list": {"type": "array", "maxItems": 5, "items": item},
        }
    )

    answer = await kind.create({"map": {"k": "x", "a.b": "x"}, "list": [{"p": "x"}, {"p": "y"}, {"p": "x"}]})

    assert sorted(causes(answer.body)) == [
        ("FieldValueInvalid", "spec.list[0].p", "Invalid value: no x here"),
        ("FieldValueInvalid", "spec.list[2].p", "Invalid value: no x here"),
        ("FieldValueInvalid", "spec.map[a.b]", 'Invalid value: "x": no x'),
        ("FieldValueInvalid", "spec.map[k]", 'Invalid value: "x": no x'),
    ]


async def test_an_expression_may_say_the_message(ruled: Maker) -> None:
    rule = {"rule": "self.n == 1", "message": "fixed words", "messageExpression": "self.s + ' is wrong'"}
    kind = await ruled({"o": ruled_object({"s": TEXT, "n": NUMBER}, rule)})

    said = await kind.create({"o": {"n": 2, "s": "this"}})
    failed = await kind.create({"o": {"n": 2}})
    broken = await kind.create({"o": {"n": 2, "s": "a\nb"}})

    messages = [causes(answer.body)[0][2] for answer in (said, failed, broken)]
    assert messages == ["Invalid value: this is wrong", "Invalid value: fixed words", "Invalid value: fixed words"]


async def test_an_error_of_evaluation_is_a_broken_rule(ruled: Maker) -> None:
    rules = ({"rule": "self.n / 0 == 1"}, {"rule": "self.s == 'a'", "message": "second"})
    kind = await ruled({"o": ruled_object({"s": TEXT, "n": NUMBER}, *rules)})

    answer = await kind.create({"o": {"n": 2}})

    assert causes(answer.body) == [
        (
            "FieldValueInvalid",
            "spec.o",
            'Invalid value: "object": division by zero evaluating rule: self.n / 0 == 1',
        ),
        ("FieldValueInvalid", "spec.o", 'Invalid value: "object": no such key: s evaluating rule: second'),
    ]


async def test_transition_rules_compare_with_the_old_value(ruled: Maker) -> None:
    kind = await ruled(
        {
            "s": ruled_text({"rule": "self == oldSelf", "message": "fixed"}),
            "o": ruled_object({"p": TEXT}, {"rule": "self.p == oldSelf.p", "message": "p is fixed"}),
        }
    )
    created = await kind.create({})
    added = await kind.change({"spec": {"s": "a", "o": {"p": "x"}}})

    changed = await kind.change({"spec": {"s": "b", "o": {"p": "y"}}})
    removed = await kind.change({"spec": {"s": None, "o": None}})

    assert (created.code, added.code, removed.code) == (201, 200, 200)
    assert sorted(causes(changed.body)) == [
        ("FieldValueInvalid", "spec.o", "Invalid value: p is fixed"),
        ("FieldValueInvalid", "spec.s", 'Invalid value: "b": fixed'),
    ]


async def test_an_optional_old_value_makes_rules_run_at_the_first_write_too(ruled: Maker) -> None:
    rule = {"rule": "oldSelf.orValue('first') == self", "optionalOldSelf": True, "message": "starts as first"}
    kind = await ruled({"s": ruled_text(rule)})

    wrong = await kind.create({"s": "second"})
    right = await kind.create({"s": "first"})
    changed = await kind.change({"spec": {"s": "second"}})

    assert (wrong.code, right.code, changed.code) == (422, 201, 422)
    assert causes(wrong.body) == [("FieldValueInvalid", "spec.s", 'Invalid value: "second": starts as first')]


async def test_items_of_keyed_lists_have_a_past_and_sets_no_order(ruled: Maker) -> None:
    value = ruled_text({"rule": "self == oldSelf", "message": "v is fixed"})
    item = {"type": "object", "required": ["k"], "properties": {"k": TEXT, "v": value}}
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "maxItems": 4}
    members = {"type": "array", "maxItems": 4, "x-kubernetes-list-type": "set", "items": TEXT}
    kind = await ruled(
        {
            "list": {"type": "array", "items": item, **keyed},
            "set": {**members, RULES: [{"rule": "self == oldSelf", "message": "the set is fixed"}]},
        }
    )
    await kind.create({"list": [{"k": "a", "v": "1"}, {"k": "b", "v": "1"}], "set": ["a", "b"]})

    turned = await kind.change({"spec": {"list": [{"k": "b", "v": "1"}, {"k": "a", "v": "2"}], "set": ["b", "a"]}})
    grown = await kind.change({"spec": {"set": ["a", "b", "c"]}})

    assert causes(turned.body) == [("FieldValueInvalid", "spec.list[1].v", 'Invalid value: "2": v is fixed')]
    assert causes(grown.body) == [("FieldValueInvalid", "spec.set", "Invalid value: the set is fixed")]


async def test_what_was_wrong_before_only_draws_a_warning(ruled: Maker) -> None:
    kind = await ruled({"s": TEXT, "n": NUMBER})
    await kind.create({"s": "long", "n": 1})
    stored = (await kind.http.get(kind.definition)).ok
    schema = stored["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["s"] = ruled_text({"rule": "self.size() < 2", "message": "too long"})
    (await kind.http.put(kind.definition, stored)).ok  # noqa: B018 asserts success

    async def rule_holds() -> bool:
        return (await kind.http.post(kind.collection, kind.body({"s": "long"}), dryRun="All")).code == 422

    await eventually(rule_holds)
    elsewhere = await kind.change({"spec": {"n": 2}})
    worse = await kind.change({"spec": {"s": "longer"}})
    better = await kind.change({"spec": {"s": "s"}})

    assert (elsewhere.code, worse.code, better.code) == (200, 422, 200)
    assert elsewhere.warnings == ('299 - "spec.s: Invalid value: \\"long\\": too long"',)


async def test_rules_are_not_asked_where_types_are_wrong(ruled: Maker) -> None:
    kind = await ruled({"n": {**NUMBER, RULES: [{"rule": "self < 5"}]}})

    answer = await kind.create({"n": "seven"})

    assert causes(answer.body)[1] == (
        "FieldValueInvalid",
        "<nil>",
        "Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
        "existing errors to complete validation",
    )


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ({"rule": "1 +"}, "rule", "compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>'"),
        ({"rule": "self.none == 1"}, "rule", "compilation failed: ERROR: <input>:1:5: undefined field 'none'"),
        ({"rule": "none(1)"}, "rule", "ERROR: <input>:1:5: undeclared reference to 'none' (in container '')"),
        (
            {"rule": "self.s == 1"},
            "rule",
            "<input>:1:8: found no matching overload for '_==_' applied to '(string, int)'",
        ),
        ({"rule": "'text'"}, "rule", "cel expression must evaluate to a bool"),
        ({"rule": ""}, "rule", "Required value: rule is not specified"),
        ({"rule": "true", "message": " "}, "message", 'Invalid value: " ": must be non-empty if specified'),
        ({"rule": "true", "message": "a\nb"}, "message", "must not contain line breaks"),
        (
            {"rule": "true\n|| true"},
            "message",
            "Required value: message must be specified if rule contains line breaks",
        ),
        (
            {"rule": "true", "messageExpression": "1"},
            "messageExpression",
            "messageExpression must evaluate to a string",
        ),
        ({"rule": "true", "messageExpression": "self.none"}, "messageExpression", "undefined field 'none'"),
        ({"rule": "true", "reason": "Other"}, "reason", 'Unsupported value: "Other": supported values: '),
        ({"rule": "true", "fieldPath": ".none"}, "fieldPath", 'Invalid value: ".none": must be a valid path'),
        ({"rule": "true", "fieldPath": "s"}, "fieldPath", 'Invalid value: "s": must be a valid path'),
        (
            {"rule": "true", "optionalOldSelf": True},
            "optionalOldSelf",
            "Invalid value: true: may not be set if oldSelf is not used in rule",
        ),
    ],
)
async def test_a_definition_with_a_bad_rule_is_refused(
    http: Http, ns: str, rule: dict[str, Any], field: str, message: str
) -> None:
    version = small_version({"o": ruled_object({"s": TEXT}, rule)})

    answer = await http.post(DEFINITIONS, definition("badrules", "Badrule", [version]))

    place = f"spec.validation.openAPIV3Schema.properties[spec].properties[o].{RULES}[0].{field}"
    assert answer.code == 422
    [(_, where, words)] = causes(answer.body)
    assert where == place
    assert message in words


async def test_items_without_keys_have_no_past(http: Http, ns: str) -> None:
    items = {"type": "array", "maxItems": 3, "items": ruled_text({"rule": "self == oldSelf"})}

    answer = await http.post(DEFINITIONS, definition("badrules", "Badrule", [small_version({"l": items})]))

    [(_, _, words)] = causes(answer.body)
    said = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
    place = "spec.validation.openAPIV3Schema.properties[spec].properties[l]"
    assert words == f'Invalid value: "self == oldSelf": {said}{place}'


async def test_functions_of_kubernetes_are_there(ruled: Maker) -> None:
    rules = [{"rule": expression, "message": expression} for expression in TRUE]
    numbers, words = ({"type": "array", "maxItems": 5, "items": items} for items in (NUMBER, TEXT))
    kind = await ruled({"o": ruled_object({"csv": TEXT, "numbers": numbers, "words": words}, *rules)})

    answer = await kind.create({"o": OBJECT})

    assert answer.code == 201, answer.body
