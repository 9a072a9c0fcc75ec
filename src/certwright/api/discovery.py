"""What an API server serves, in the form that tells it in one answer (`apidiscovery.k8s.io/v2`)."""

from __future__ import annotations

import msgspec

from certwright.api.meta import ApiStruct, ObjectMeta

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""The media type of the answer; known to every server from Kubernetes 1.30 on."""


class ResponseKind(ApiStruct, frozen=True, kw_only=True):
    """The kind of the objects of a resource; the group may be another's."""

    group: str = ""
    kind: str = ""


class ServedResource(ApiStruct, frozen=True, kw_only=True):
    """One resource of a version."""

    resource: str
    scope: str = ""
    response_kind: ResponseKind = ResponseKind()


class ServedVersion(ApiStruct, frozen=True, kw_only=True):
    """One version of a group; where it is `Stale`, its own server could not be asked and resources may be missing."""

    version: str
    resources: tuple[ServedResource, ...] = ()
    freshness: str = ""


class ServedGroup(ApiStruct, frozen=True, kw_only=True):
    """One API group, under `metadata.name`."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    versions: tuple[ServedVersion, ...] = ()


class ServedGroups(ApiStruct, frozen=True, kw_only=True):
    """All groups but the core group."""

    items: tuple[ServedGroup, ...] = ()
