"""Puts our CustomResourceDefinitions on an API server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import cast

import msgspec

from certwright.api.crds import LEGACY_KINDS, V1_KINDS, custom_resource_definition
from certwright.api.meta import JSONObject
from certwright.api.resource import Kind
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import CUSTOMRESOURCEDEFINITIONS

MANAGER = "certwright"
DEFINITION: Kind[JSONObject] = Kind(
    CUSTOMRESOURCEDEFINITIONS, lambda raw: cast("JSONObject", msgspec.json.decode(raw, type=dict))
)
LOOK_AGAIN = timedelta(milliseconds=100)
PATIENCE = timedelta(seconds=30)


class NotServed(Exception):
    """The API server took a definition and does not serve it; the message is a sentence with a next step."""


async def install_definitions(client: KubeClient, clock: Clock, *, legacy: bool = True) -> None:
    """Apply them, and return when all are served."""
    kinds = V1_KINDS + LEGACY_KINDS if legacy else V1_KINDS
    names = [f"{kind.plural}.{kind.group}" for kind in kinds]
    for name, kind in zip(names, kinds, strict=True):
        definition = custom_resource_definition(kind)
        await client.apply(DEFINITION, ObjectKey("", name), definition, manager=MANAGER)
    await asyncio.gather(*(_established(client, clock, name) for name in names))


async def _established(client: KubeClient, clock: Clock, name: str) -> None:
    end = clock.now() + PATIENCE
    while not _is_established(await client.get(DEFINITION, ObjectKey("", name))):
        if clock.now() > end:
            raise NotServed(
                f"{name} is not served after {PATIENCE}; look at its conditions: kubectl get crd {name} -o yaml"
            )
        await clock.wait(LOOK_AGAIN)


def _is_established(definition: JSONObject) -> bool:
    status = definition.get("status")
    found = status.get("conditions") if isinstance(status, dict) else None
    conditions = cast("Iterable[JSONObject]", found or ())
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)
