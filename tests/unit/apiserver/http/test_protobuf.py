"""Protobuf bodies: what Go clients send is read, and nonsense is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.apiserver.http.bodies import decode_object
from certwright.apiserver.http.protobuf import MEDIA, UnknownKind, decode_protobuf
from certwright.kube.wire.status import ApiError, BadRequest, UnsupportedMediaType


def field(number: int, value: bytes | int) -> bytes:
    """A field of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    head = field(1, api_version.encode()) + field(2, kind.encode())
    return b"k8s\x00" + field(1, head) + field(2, raw)


def test_a_secret() -> None:
    times = field(8, field(1, 1_767_225_600))
    metadata = field(1, b"s") + field(11, field(1, b"l") + field(2, b"1")) + times
    data = field(1, b"k") + field(2, b"\x00\xff")
    raw = field(1, metadata) + field(2, data) + field(3, b"Opaque") + field(5, 1) + field(99, b"unknown")

    assert decode_protobuf(body("v1", "Secret", raw)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"l": "1"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "data": {"k": "AP8="},
        "type": "Opaque",
        "immutable": True,
    }


def test_zeros_that_go_leaves_out_of_json_are_left_out_and_pointers_stay() -> None:
    options = field(1, 0) + field(4, b"")

    found = decode_protobuf(body("v1", "DeleteOptions", options))

    assert found == {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "propagationPolicy": ""}


def test_numbers_texts_quantities_and_what_is_inlined() -> None:
    port = field(1, b"web") + field(3, 80) + field(4, field(1, 1) + field(3, b"http"))
    service = decode_protobuf(body("v1", "Service", field(2, field(1, port))))
    limit = field(1, b"cpu") + field(2, field(1, b"500m"))
    volume = field(1, b"v") + field(2, field(6, field(1, b"secret-of-it")))
    container = field(1, b"c") + field(8, field(1, limit))
    pod = decode_protobuf(body("v1", "Pod", field(2, field(1, volume) + field(2, container))))

    assert service["spec"] == {"ports": [{"name": "web", "port": 80, "targetPort": "http"}]}
    assert pod["spec"] == {
        "volumes": [{"name": "v", "secret": {"secretName": "secret-of-it"}}],
        "containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}],
    }


def test_a_negative_number() -> None:
    assert decode_protobuf(body("scheduling.k8s.io/v1", "PriorityClass", field(2, -5)))["value"] == -5


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no envelope", BadRequest),
        (body("v1", "Secret", b"\x0a\xff"), BadRequest),
        (body("v1", "Secret", field(1, field(1, b"\xff"))), BadRequest),
        (body("v1", "Secret", b"\x0b"), BadRequest),
        (body("example.com/v1", "Thing", b""), UnsupportedMediaType),
    ],
)
def test_what_is_refused(content: bytes, error: type[ApiError]) -> None:
    with pytest.raises(error):
        decode_object(content, MEDIA)


@given(st.binary(max_size=200))
def test_nonsense_is_an_answer_never_a_crash(content: bytes) -> None:
    for kind in ("Pod", "Secret", "Event"):
        try:
            decode_object(body("v1", kind, content), MEDIA)
        except (BadRequest, UnsupportedMediaType):
            continue


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UnknownKind, match=r"example\.com/v1 Thing is not read from protobuf here; send it as JSON"):
        decode_protobuf(body("example.com/v1", "Thing", b""))
