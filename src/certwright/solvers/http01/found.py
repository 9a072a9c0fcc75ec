"""What is read of the objects that lead to the responder, and the errors of the API server as reasons to retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

import msgspec

from certwright.api.core_kinds import ENDPOINT_SLICE, INGRESS, POD, SERVICE
from certwright.api.meta import ApiStruct, ObjectMeta, always
from certwright.api.resource import Kind, Resource, kind_of
from certwright.errors import Retry
from certwright.kube.client.errors import Unreachable
from certwright.kube.wire.json import JSON
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import ApiError

MANAGER = "cert-manager-challenges"


class Found(ApiStruct, frozen=True, kw_only=True):
    """Any of them, its spec as it is stored."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: object = always(None)

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.metadata.namespace, self.metadata.name)

    @property
    def json_spec(self) -> JSON:
        """The spec as JSON values."""
        return cast(JSON, self.spec)

    def is_owned_by(self, uid: str) -> bool:
        """Whether the object of that uid is an owner."""
        return any(owner.uid == uid for owner in self.metadata.owner_references)


SERVICES = kind_of(SERVICE.resource, Found)
SLICES = ENDPOINT_SLICE
PODS = kind_of(POD.resource, Found)
INGRESSES = kind_of(INGRESS.resource, Found)
INGRESS_CLASSES = kind_of(Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False), Found)
HTTP_ROUTES = kind_of(Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", True), Found)
Routing = Kind[Found]


@contextmanager
def asking_the_api_server(doing: str) -> Iterator[None]:
    """A refusal or the lack of an answer in the block becomes a Retry that says what was tried."""
    try:
        yield
    except ApiError as error:
        seconds = error.retry_after_seconds
        raise Retry(f"{doing}: {error}", timedelta(seconds=seconds) if seconds else None) from error
    except Unreachable as error:
        raise Retry(f"{doing}: {error}") from error
