"""All built-in kinds."""

from __future__ import annotations

from functools import lru_cache

from certwright.apiserver.definition import Definition
from certwright.apiserver.kinds import (
    admission,
    certificates,
    cluster,
    crds,
    endpoints,
    events,
    ingresses,
    leases,
    nodes,
    pods,
    rbac,
    secrets,
    services,
    workloads,
)
from certwright.apiserver.kinds.build import build

_MODULES = (
    cluster,
    secrets,
    services,
    endpoints,
    pods,
    nodes,
    events,
    workloads,
    ingresses,
    rbac,
    admission,
    certificates,
    leases,
    crds,
)


@lru_cache(maxsize=1)
def built_in_definitions() -> tuple[Definition, ...]:
    """The definitions of all built-in kinds, each version on its own."""
    return tuple(build(kind) for module in _MODULES for kind in module.KINDS)
