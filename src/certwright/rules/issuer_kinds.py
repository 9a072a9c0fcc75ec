"""Which kinds of external issuers an API server offers, as the annotations by which an admission policy knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from certwright.api.discovery import ServedGroup
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP

MOST = 500
"""So many kinds are told at most: an object may have 256 KiB of annotations."""
_TOLD = re.compile(r"(Namespaced|Cluster)/[a-z0-9.-]+")


def is_external(group: str) -> bool:
    """Whether issuers of that group are signed for by others; Kubernetes' own groups have none."""
    ours = group in {"", CERT_MANAGER_GROUP, LEGACY_GROUP}
    return not ours and "." in group and not group.endswith(".k8s.io")


def annotation_key(group: str, kind: str) -> str:
    """`group/Kind`."""
    return f"{group}/{kind}"


def annotation_changes(
    present: Mapping[str, str], groups: Iterable[ServedGroup], asked_for: frozenset[str]
) -> dict[str, str | None]:
    """What is to be set, and what taken away (None), so that `present` tells the kinds that are served.

    These are the kinds that are called something with Issuer, those in `asked_for` (as keys of annotations), and of
    those that are told already all that are still served, since another controller may have been asked for them.
    What a group had whose own server cannot be asked stays; annotations of others stay too.
    """
    served: dict[str, str] = {}
    stale: set[str] = set()
    for group in groups:
        name = group.metadata.name
        if is_external(name):
            served = {**dict(_kinds(group)), **served}
            if any(version.freshness == "Stale" for version in group.versions):
                stale.add(name)
    told = {key for key, value in present.items() if _TOLD.fullmatch(value) and is_external(_group_of(key))}
    named = (key for key in served if key in asked_for or key in told or "issuer" in key.rpartition("/")[2].lower())
    wanted = sorted(named, key=lambda key: (key not in asked_for, key not in told, key))[:MOST]
    changed = {key: served[key] for key in wanted if present.get(key) != served[key]}
    gone = (key for key in sorted(told.difference(wanted)) if _group_of(key) not in stale)
    return {**changed, **dict.fromkeys(gone)}


def _group_of(key: str) -> str:
    return key.partition("/")[0]


def _kinds(group: ServedGroup) -> Iterator[tuple[str, str]]:
    """The least preferred version first, so that the most preferred one has the last word."""
    name = group.metadata.name
    for version in reversed(group.versions):
        for each in version.resources:
            kind = each.response_kind
            if kind.group == name and each.scope in {"Namespaced", "Cluster"}:
                yield annotation_key(name, kind.kind), f"{each.scope}/{each.resource}"
