"""Which resource a kind of object lives under, the paths a server offers it at, and how its objects are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import quote

from msgspec import Struct

from certwright.api.meta import decode

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


class Resource(Struct, frozen=True):
    """One resource of one API version: `plural` stands in paths, `kind` in objects."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """`version` in the core group, `group/version` elsewhere."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name that the API server uses in messages: `secrets`, `leases.coordination.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        """The path of the API version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of an object, or without `name` of the collection: of all namespaces where `namespace` is empty.

        Raises ValueError for a namespace or name that cannot be one segment of a path.
        """
        parts = [self.root]
        if namespace and self.namespaced:
            parts += ("namespaces", _segment(namespace))
        parts.append(self.plural)
        if name:
            parts.append(_segment(name))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


class Kind(Struct, Generic[T], frozen=True):
    """A resource and how one of its objects is read from JSON; `read` raises `MalformedObject`."""

    resource: Resource
    read: Callable[[bytes], T]


def kind_of(resource: Resource, struct: type[S]) -> Kind[S]:
    """The kind whose objects are read as that Struct."""
    return Kind(resource, lambda raw: decode(struct, raw))


def _segment(text: str) -> str:
    if text in {".", ".."} or "/" in text or "%" in text:
        raise ValueError(f"{text!r} cannot name an object: a name is not '.' or '..' and has no '/' or '%' in it.")
    return quote(text, safe=":")
