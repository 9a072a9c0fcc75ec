"""Which Secrets an issuer's spec names, wherever in the spec it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from certwright.api.issuer_types import CAIssuer, VaultClientCertificate
from certwright.api.meta import LocalObjectReference, SecretKeySelector

_SUFFIX = "SecretRef"


def secret_references(value: object) -> Iterator[SecretKeySelector]:
    """Every reference in a spec or a part of one; `key` is empty where the use site has a default or takes several.

    The free configuration of a DNS-01 webhook counts where it writes a reference as all others are written.
    """
    match value:
        case SecretKeySelector(name=str(name)):
            yield from (value,) if name else ()
        case LocalObjectReference(name=str(name)) if name:
            yield SecretKeySelector(name=name)
        case tuple() | list():
            for item in value:
                yield from secret_references(item)
        case Mapping():
            yield from _in_free_json(value)
        case Struct():
            if isinstance(value, CAIssuer | VaultClientCertificate) and value.secret_name:
                yield SecretKeySelector(name=value.secret_name)
            for field in value.__struct_fields__:
                yield from secret_references(getattr(value, field))


def _in_free_json(value: Mapping[object, object]) -> Iterator[SecretKeySelector]:
    for field, item in value.items():
        if isinstance(field, str) and field.endswith(_SUFFIX) and isinstance(item, Mapping):
            name, key = item.get("name"), item.get("key")
            if isinstance(name, str) and name:
                yield SecretKeySelector(name=name, key=key if isinstance(key, str) else "")
        else:
            yield from secret_references(item)
