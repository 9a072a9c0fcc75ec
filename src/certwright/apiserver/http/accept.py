"""Which form of an answer a client accepts."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from msgspec import Struct

from certwright.kube.wire.status import NotAcceptable

Shape = Literal["object", "table", "metadata"]
_SHAPES: dict[str, Shape] = {
    "": "object",
    "Table": "table",
    "PartialObjectMetadata": "metadata",
    "PartialObjectMetadataList": "metadata",
}
_JSON = frozenset({"application/json", "*/*", "application/*"})


class Form(Struct, frozen=True):
    """The form of an answer."""

    shape: Shape = "object"
    is_yaml: bool = False


def content_type(header: str) -> str:
    """The media type of a Content-Type header, without its parameters, in lower case."""
    return header.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def clauses(header: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """The media types of an Accept header with their parameters, in the client's order of preference."""
    found: list[tuple[float, tuple[str, dict[str, str]]]] = []
    for clause in header.split(","):
        media, *rest = (part.strip() for part in clause.split(";"))
        parameters = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
        if media:
            found.append((_quality(parameters.pop("q", "1")), (media.lower(), parameters)))
    return tuple(clause for _, clause in sorted(found, key=lambda item: -item[0]))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@lru_cache(maxsize=256)
def negotiate(header: str) -> Form:
    """The first form in the header that the server can write; NotAcceptable where there is none."""
    for media, parameters in clauses(header or "*/*"):
        kind = parameters.get("as", "")
        if kind and parameters.get("g", "meta.k8s.io") != "meta.k8s.io":
            continue
        shape = _SHAPES.get(kind)
        if shape is None or (kind and parameters.get("v", "v1") not in {"v1", "v1beta1"}):
            continue
        if media in _JSON:
            return Form(shape)
        if media == "application/yaml":
            return Form(shape, is_yaml=True)
    raise NotAcceptable.of(
        "only the following media types are accepted: application/json, application/yaml, "
        "application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    )
