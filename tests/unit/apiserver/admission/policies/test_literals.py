"""Objects in expressions become maps, and nothing else changes."""

from __future__ import annotations

import pytest

from certwright.apiserver.admission.policies.literals import objects_as_maps


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("object.metadata.name == 'a'", "object.metadata.name == 'a'"),
        ("{'a': 1}.all(k, k != 'b')", "{'a': 1}.all(k, k != 'b')"),
        ("Object{}", "dyn({})"),
        ("Object{data: {'k': 'v'}}", "dyn({'data': {'k': 'v'}})"),
        (
            "Object{ metadata: Object.metadata{labels: {'a': 'b', 'c': 'd'}}, data: {} }",
            "dyn({ 'metadata': dyn({'labels': {'a': 'b', 'c': 'd'}}), 'data': {} })",
        ),
        (
            "[JSONPatch{op: 'add', path: '/a', value: [1, 2]}] + []",
            "[dyn({'op': 'add', 'path': '/a', 'value': [1, 2]})] + []",
        ),
        (
            "has(object.x) ? [JSONPatch{op: f(a, b) ? 'add' : 'test', value: c}] : []",
            "has(object.x) ? [dyn({'op': f(a, b) ? 'add' : 'test', 'value': c})] : []",
        ),
        ("Object.spec{?size: object.?spec.?size}", "dyn({?'size': object.?spec.?size})"),
        ("Object.metadata{__namespace__: 'a', x__dash__y: 'b'}", "dyn({'namespace': 'a', 'x-y': 'b'})"),
        ("'Object{data: 1}' + \"JSONPatch{op: 2}\"", "'Object{data: 1}' + \"JSONPatch{op: 2}\""),
        ("Object{data: {'k': ', op: }'}}", "dyn({'data': {'k': ', op: }'}})"),
        ("[myObject, Object {a: 1}]", "[myObject, dyn({'a': 1})]"),
        ("Object.spec.parts{a: Object.spec.parts.part{b: 1}}", "dyn({'a': dyn({'b': 1})})"),
    ],
)
def test_written_as_maps(expression: str, written: str) -> None:
    assert objects_as_maps(expression) == written


@pytest.mark.parametrize("expression", ["Object{", "}", "Object{a: (}", "JSONPatch{op: 'a'", "'open", ""])
def test_what_is_malformed_is_left_to_the_compiler(expression: str) -> None:
    assert isinstance(objects_as_maps(expression), str)
