from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.kube.wire.json import JSON, decode_json
from certwright.kube.wire.patches import PatchError, PatchTestFailed, apply_json_patch, apply_merge_patch

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab~/", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~/", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        ('{"a":1}', '[{"op":"add","path":"/b","value":2}]', '{"a":1,"b":2}'),
        ('{"a":1}', '[{"op":"add","path":"/a","value":[2]}]', '{"a":[2]}'),
        ('{"l":[1,3]}', '[{"op":"add","path":"/l/1","value":2}]', '{"l":[1,2,3]}'),
        ('{"l":[1]}', '[{"op":"add","path":"/l/1","value":2}]', '{"l":[1,2]}'),
        ('{"l":[1]}', '[{"op":"add","path":"/l/-","value":2}]', '{"l":[1,2]}'),
        ('{"a":1}', '[{"op":"add","path":"","value":7}]', "7"),
        ('{"a":1,"b":2}', '[{"op":"remove","path":"/a"}]', '{"b":2}'),
        ("[1,2,3]", '[{"op":"remove","path":"/1"}]', "[1,3]"),
        ('{"a":1}', '[{"op":"replace","path":"/a","value":null}]', '{"a":null}'),
        ("[1,2]", '[{"op":"replace","path":"/0","value":9}]', "[9,2]"),
        ('{"a":1}', '[{"op":"replace","path":"","value":[]}]', "[]"),
        ('{"a":{"x":1},"b":{}}', '[{"op":"move","from":"/a/x","path":"/b/y"}]', '{"a":{},"b":{"y":1}}'),
        ("[1,2,3]", '[{"op":"move","from":"/0","path":"/2"}]', "[2,3,1]"),
        ('{"a":1}', '[{"op":"move","from":"/a","path":"/a"}]', '{"a":1}'),
        ('{"a":[1]}', '[{"op":"copy","from":"/a","path":"/b"}]', '{"a":[1],"b":[1]}'),
        ('{"a":[1]}', '[{"op":"copy","from":"/a","path":"/a/-"}]', '{"a":[1,[1]]}'),
        ('{"a/b":1,"m~n":2}', '[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"}]', "{}"),
        ('{"~1":1}', '[{"op":"remove","path":"/~01"}]', "{}"),
        ('{"":1}', '[{"op":"remove","path":"/"}]', "{}"),
        ('{"a":[1,{"b":null}]}', '[{"op":"test","path":"/a","value":[1,{"b":null}]}]', '{"a":[1,{"b":null}]}'),
        ('{"a":1}', '[{"op":"test","path":"/a","value":1.0}]', '{"a":1}'),
        ('{"0":1}', '[{"op":"remove","path":"/0"}]', "{}"),
        ('{"a":1}', '[{"op":"remove","path":"/a","note":"members beyond the standard are ignored"}]', "{}"),
        ("{}", "[]", "{}"),
    ],
)
def test_json_patch(doc: str, patch: str, result: str) -> None:
    assert apply_json_patch(decode_json(doc.encode()), decode_json(patch.encode())) == decode_json(result.encode())


@pytest.mark.parametrize(
    ("doc", "patch", "words"),
    [
        ("{}", "{}", "must be an array"),
        ("{}", "[7]", "must be an object"),
        ("{}", '[{"path":"/a"}]', "'op'"),
        ("{}", '[{"op":"spin","path":"/a"}]', "not an operation"),
        ("{}", '[{"op":"add","value":1}]', "'path'"),
        ("{}", '[{"op":"add","path":"/a"}]', "'value'"),
        ("{}", '[{"op":"add","path":"a","value":1}]', "start with"),
        ("{}", '[{"op":"add","path":"/a/b","value":1}]', "nothing at"),
        ('{"a":1}', '[{"op":"add","path":"/a/b","value":1}]', "nothing at"),
        ("{}", '[{"op":"remove","path":"/a"}]', "nothing at"),
        ("{}", '[{"op":"remove","path":""}]', "cannot be removed"),
        ("{}", '[{"op":"replace","path":"/a","value":1}]', "nothing at"),
        ("[]", '[{"op":"replace","path":"/-","value":1}]', "not an index"),
        ("[1]", '[{"op":"remove","path":"/1"}]', "beyond"),
        ("[1]", '[{"op":"add","path":"/2","value":1}]', "beyond"),
        ("[1,2]", '[{"op":"remove","path":"/01"}]', "not an index"),
        ("[1,2]", '[{"op":"remove","path":"/-1"}]', "not an index"),
        ("[1,2]", '[{"op":"remove","path":"/\\u0661"}]', "not an index"),
        ("{}", '[{"op":"add","path":"/~2","value":1}]', "followed by 0 or 1"),
        ('{"a":{}}', '[{"op":"move","from":"/a","path":"/a/b"}]', "own part"),
        ("{}", '[{"op":"copy","from":"/a","path":"/b"}]', "nothing at"),
        ('{"a":1}', '[{"op":"test","path":"/a","value":true}]', "another value"),
        ('{"a":"1"}', '[{"op":"test","path":"/a","value":1}]', "another value"),
        ("{}", '[{"op":"test","path":"/a","value":null}]', "nothing at"),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing(doc: str, patch: str, words: str) -> None:
    before = decode_json(doc.encode())

    with pytest.raises(PatchError, match=words):
        apply_json_patch(before, decode_json(patch.encode()))

    assert before == decode_json(doc.encode())


def test_a_failed_test_undoes_what_went_before() -> None:
    doc: JSON = {"a": [1]}

    with pytest.raises(PatchTestFailed):
        apply_json_patch(doc, [{"op": "add", "path": "/a/-", "value": 2}, {"op": "test", "path": "/a/0", "value": 5}])

    assert doc == {"a": [1]}


def test_copies_are_independent() -> None:
    patch: JSON = [{"op": "copy", "from": "/a", "path": "/b"}, {"op": "add", "path": "/b/x", "value": 1}]

    assert apply_json_patch({"a": {}}, patch) == {"a": {}, "b": {"x": 1}}


def test_a_patch_cannot_grow_without_bound() -> None:
    doubling: JSON = [{"op": "copy", "from": "", "path": "/-"}] * 40

    with pytest.raises(PatchError, match="copies more than"):
        apply_json_patch([1], doubling)


def test_depth_is_a_sentence() -> None:
    deep: JSON = 1
    for _ in range(5000):
        deep = {"a": deep}

    with pytest.raises(PatchError, match="nested too deeply"):
        apply_json_patch(deep, [])
    with pytest.raises(PatchError, match="nested too deeply"):
        apply_merge_patch(1, deep)


def test_a_patch_has_a_bounded_number_of_operations() -> None:
    with pytest.raises(PatchError, match="at most"):
        apply_json_patch({}, [{"op": "test", "path": "", "value": {}}] * 10_001)


@settings(max_examples=100)
@given(values, values)
def test_neither_document_nor_patch_is_changed_nor_shared(doc: JSON, value: JSON) -> None:
    before = copy.deepcopy((doc, value))

    result = apply_json_patch({"doc": doc}, [{"op": "add", "path": "/new", "value": value}])
    merged = apply_merge_patch(doc, value)

    assert isinstance(result, dict)
    assert isinstance(result["new"], list | dict) is isinstance(value, list | dict)
    if isinstance(result["new"], list | dict):
        assert result["new"] is not value
    assert merged is not value or not isinstance(value, list | dict)
    assert (doc, value) == before


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
        ('{"a":"b","b":1}', '{"a":null}', '{"b":1}'),
        ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
        ('{"a":{"b":1,"c":2}}', '{"a":{"b":9,"c":null}}', '{"a":{"b":9}}'),
        ('{"a":[{"b":1}]}', '{"a":[1]}', '{"a":[1]}'),
        ("[1,2]", "[3]", "[3]"),
        ('{"a":1}', '["c"]', '["c"]'),
        ('{"a":1}', "null", "null"),
        ('{"a":null}', '{"b":1}', '{"a":null,"b":1}'),
        ("[1]", '{"a":"b","c":null}', '{"a":"b"}'),
        ("{}", '{"a":{"b":{"c":null}}}', '{"a":{"b":{}}}'),
        ('{"a":1}', '{"a":[null]}', '{"a":[null]}'),
    ],
)
def test_merge_patch(doc: str, patch: str, result: str) -> None:
    assert apply_merge_patch(decode_json(doc.encode()), decode_json(patch.encode())) == decode_json(result.encode())


@settings(max_examples=100)
@given(values, values)
def test_merging_twice_is_merging_once(doc: JSON, patch: JSON) -> None:
    once = apply_merge_patch(doc, patch)

    assert apply_merge_patch(once, patch) == once
