from __future__ import annotations

import pytest

from certwright.kube.wire.json import decode_json, decode_object, encode_json, is_deeper


def test_values_survive_a_round_trip() -> None:
    value = decode_json(b'{"a":[1,2.5,"x",null,true]}')

    assert encode_json(value) == b'{"a":[1,2.5,"x",null,true]}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'"\xff"', "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_body_is_a_sentence(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode_json(body)


def test_an_object_is_wanted() -> None:
    assert decode_object(b'{"a":1}') == {"a": 1}
    with pytest.raises(ValueError, match="must be a JSON object"):
        decode_object(b"[]")


@pytest.mark.parametrize(
    ("body", "deeper"),
    [
        (b"[[]]", False),
        (b"[[[]]]", True),
        (b'{"a":{"b":[]}}', True),
        (b'["[[[[", [], []]', False),
        (b'["\\"[[[", []]', False),
    ],
)
def test_what_nests_deeper_than_two(body: bytes, deeper: bool) -> None:
    assert is_deeper(body, 2) is deeper
