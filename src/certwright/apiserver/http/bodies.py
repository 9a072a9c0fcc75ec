"""Bodies of requests: sizes, media types, depth, doubled members."""

from __future__ import annotations

import json

import msgspec
import yaml
from aiohttp import web

from certwright.apiserver.http.protobuf import MEDIA as PROTOBUF
from certwright.apiserver.http.protobuf import UnknownKind, decode_protobuf
from certwright.kube.wire.json import JSON, JSONObject, is_deeper
from certwright.kube.wire.status import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

LARGEST_BODY = 3 * 1024 * 1024
DEEPEST = 200
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_OBJECTS = frozenset({"", "application/json", "application/yaml", "*/*", PROTOBUF})


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body; RequestEntityTooLarge beyond `LARGEST_BODY`."""
    if (request.content_length or 0) > LARGEST_BODY:
        raise _too_large()
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def _too_large() -> Exception:
    return RequestEntityTooLarge.of(f"Request entity too large: limit is {LARGEST_BODY}")


def check_object_type(media: str) -> None:
    """Refuse a media type in which an object cannot be sent."""
    if media not in _OBJECTS:
        raise UnsupportedMediaType.of(
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        )


def check_patch_type(media: str, accepted: tuple[str, ...] = PATCHES) -> None:
    """Refuse a media type in which a patch cannot be sent."""
    if media not in accepted:
        raise UnsupportedMediaType.of(
            "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
        )


def decode_body(body: bytes, media: str) -> JSON:
    """The value in a body of JSON or YAML; BadRequest where it cannot be read."""
    if media.endswith("yaml") and not body.lstrip().startswith(b"{"):
        return _decode_yaml(body)
    try:
        value: JSON = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest.of(f"couldn't get version/kind; json parse error: {error}") from error
    except RecursionError as error:
        raise _too_deep() from error
    check_depth(body)
    return value


def decode_object(body: bytes, media: str) -> JSONObject:
    """The object in a body."""
    if media == PROTOBUF:
        return _decode_protobuf(body)
    value = decode_body(body, media)
    if not isinstance(value, dict):
        raise BadRequest.of("couldn't get version/kind; json parse error: the body must be an object")
    return value


def _decode_protobuf(body: bytes) -> JSONObject:
    try:
        return decode_protobuf(body)
    except UnknownKind as error:
        raise UnsupportedMediaType.of(f"the body of the request was in an unknown format - {error}") from error
    except (ValueError, IndexError, RecursionError) as error:
        raise BadRequest.of(f"the body cannot be read as protobuf: {error}") from error


def check_depth(body: bytes) -> None:
    """Refuse a body that nests deeper than `DEEPEST`."""
    if is_deeper(body, DEEPEST):
        raise _too_deep()


def _too_deep() -> Exception:
    return BadRequest.of(f"The body is nested deeper than {DEEPEST} levels; flatten it.")


def _decode_yaml(body: bytes) -> JSON:
    try:
        text = body.decode()
        _refuse_aliases(text)
        value: JSON = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader without timestamps
        json.dumps(value, allow_nan=False)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise BadRequest.of(f"error decoding YAML: {error}") from error
    except RecursionError as error:
        raise _too_deep() from error
    check_depth(msgspec.json.encode(value))
    return value


def _refuse_aliases(text: str) -> None:
    # An alias of an alias grows without end ("billion laughs"); nobody sends them in objects.
    if sum(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=_Loader)) > 100:
        raise BadRequest.of("The YAML uses more than 100 aliases; write the values out.")


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """YAML as JSON: dates stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def doubled_members(body: bytes) -> list[str]:
    """The paths of members that a JSON body gives twice (the last one counts); [] for what is not JSON."""
    doubled: list[str] = []
    try:
        top = json.loads(body, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return []
    _collect(top, "", doubled)
    return doubled


class _Members(list[tuple[str, object]]):
    """The members of an object in order, doubles included."""


def _collect(value: object, path: str, doubled: list[str]) -> None:
    if isinstance(value, _Members):
        seen: set[str] = set()
        for name, member in value:
            here = f"{path}.{name}" if path else name
            if name in seen and here not in doubled:
                doubled.append(here)
            seen.add(name)
            _collect(member, here, doubled)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _collect(item, f"{path}[{index}]", doubled)
