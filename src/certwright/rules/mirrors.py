"""Mirrors: modern twins of legacy objects, which the engine never works on."""

from __future__ import annotations

from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import LEGACY_GROUP

MIRROR = "certwright.io/mirror"


def is_mirror(metadata: ObjectMeta) -> bool:
    """Whether a modern object is a mirror: it is marked, and a legacy object controls it."""
    return MIRROR in metadata.annotations and any(
        reference.controller and reference.api_version.partition("/")[0] == LEGACY_GROUP
        for reference in metadata.owner_references
    )
