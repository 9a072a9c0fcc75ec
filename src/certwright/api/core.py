"""The parts of Kubernetes' own kinds that are read or written here; other fields are left alone on the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from certwright.api.meta import ApiStruct, Condition, LocalObjectReference, MicroTime, ObjectMeta, always


class Secret(ApiStruct, frozen=True, kw_only=True):
    """A Secret; `data` holds the decoded values, which no repr shows."""

    api_version: str = always("v1")
    kind: str = always("Secret")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    type: str = ""
    data: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    immutable: bool | None = None

    def __repr__(self) -> str:
        return f"Secret({self.metadata.namespace}/{self.metadata.name}, type={self.type!r}, keys={sorted(self.data)})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("namespace", self.metadata.namespace), ("name", self.metadata.name), ("keys", sorted(self.data))]


class ConfigMap(ApiStruct, frozen=True, kw_only=True):
    """A ConfigMap."""

    api_version: str = always("v1")
    kind: str = always("ConfigMap")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    data: Mapping[str, str] = msgspec.field(default_factory=dict)


class NamespaceStatus(ApiStruct, frozen=True, kw_only=True):
    """Active or Terminating."""

    phase: str = ""


class Namespace(ApiStruct, frozen=True, kw_only=True):
    """A namespace."""

    api_version: str = always("v1")
    kind: str = always("Namespace")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: NamespaceStatus | None = None


class InvolvedObject(ApiStruct, frozen=True, kw_only=True):
    """The object that an event is about; `kubectl describe` matches kind, name, namespace and uid."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    resource_version: str = ""
    field_path: str = ""

    @classmethod
    def of(cls, metadata: ObjectMeta, kind: str, api_version: str) -> InvolvedObject:
        """The object with that metadata."""
        return cls(
            kind=kind,
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
            api_version=api_version,
            resource_version=metadata.resource_version,
        )


class EventSource(ApiStruct, frozen=True, kw_only=True):
    """Who reported."""

    component: str = ""
    host: str = ""


class EventSeries(ApiStruct, frozen=True, kw_only=True):
    """Repeats of an event."""

    count: int = 0
    last_observed_time: MicroTime | None = None


class Event(ApiStruct, frozen=True, kw_only=True):
    """A core/v1 Event."""

    api_version: str = always("v1")
    kind: str = always("Event")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    involved_object: InvolvedObject = always(InvolvedObject())
    reason: str = ""
    message: str = ""
    source: EventSource | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    count: int = 0
    type: str = ""
    event_time: MicroTime | None = None
    series: EventSeries | None = None
    action: str = ""
    reporting_component: str = ""
    reporting_instance: str = ""


class LeaseSpec(ApiStruct, frozen=True, kw_only=True):
    """Who holds the lease, and until when."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: int | None = None


class Lease(ApiStruct, frozen=True, kw_only=True):
    """A coordination.k8s.io/v1 Lease."""

    api_version: str = always("coordination.k8s.io/v1")
    kind: str = always("Lease")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: LeaseSpec = always(LeaseSpec())


class ServicePort(ApiStruct, frozen=True, kw_only=True):
    """A port of a Service."""

    name: str = ""
    protocol: str = ""
    port: int
    target_port: int | str | None = None
    node_port: int = 0


class ServiceSpec(ApiStruct, frozen=True, kw_only=True):
    """What a Service routes to; without a selector its EndpointSlices say so."""

    type: str = ""
    cluster_ip: str = ""
    selector: Mapping[str, str] = msgspec.field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()


class Service(ApiStruct, frozen=True, kw_only=True):
    """A Service."""

    api_version: str = always("v1")
    kind: str = always("Service")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: ServiceSpec = always(ServiceSpec())


class EndpointConditions(ApiStruct, frozen=True, kw_only=True):
    """Whether an endpoint takes traffic."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Endpoint(ApiStruct, frozen=True, kw_only=True):
    """Addresses of one backend."""

    addresses: tuple[str, ...]
    conditions: EndpointConditions | None = None
    hostname: str | None = None
    node_name: str | None = None


class EndpointPort(ApiStruct, frozen=True, kw_only=True):
    """A port of an EndpointSlice."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class EndpointSlice(ApiStruct, frozen=True, kw_only=True):
    """A discovery.k8s.io/v1 EndpointSlice; the server writes empty lists as null."""

    api_version: str = always("discovery.k8s.io/v1")
    kind: str = always("EndpointSlice")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    address_type: Literal["IPv4", "IPv6", "FQDN"]
    endpoints: tuple[Endpoint, ...] | None = always(())
    ports: tuple[EndpointPort, ...] | None = None


class ServiceBackendPort(ApiStruct, frozen=True, kw_only=True):
    """A port by name or number."""

    name: str = ""
    number: int = 0


class IngressServiceBackend(ApiStruct, frozen=True, kw_only=True):
    """A Service as backend."""

    name: str
    port: ServiceBackendPort | None = None


class IngressBackend(ApiStruct, frozen=True, kw_only=True):
    """Where a path leads; backends other than Services are not modelled."""

    service: IngressServiceBackend | None = None


class HTTPIngressPath(ApiStruct, frozen=True, kw_only=True):
    """A path of a rule."""

    path: str = ""
    path_type: str | None = None
    backend: IngressBackend


class HTTPIngressRule(ApiStruct, frozen=True, kw_only=True):
    """The paths of a host."""

    paths: tuple[HTTPIngressPath, ...] = always(())


class IngressRule(ApiStruct, frozen=True, kw_only=True):
    """A host and its paths."""

    host: str = ""
    http: HTTPIngressRule | None = None


class IngressTLS(ApiStruct, frozen=True, kw_only=True):
    """Hosts served with one Secret."""

    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class IngressSpec(ApiStruct, frozen=True, kw_only=True):
    """Rules of an Ingress."""

    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()


class Ingress(ApiStruct, frozen=True, kw_only=True):
    """A networking.k8s.io/v1 Ingress."""

    api_version: str = always("networking.k8s.io/v1")
    kind: str = always("Ingress")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: IngressSpec = always(IngressSpec())


class PodStatus(ApiStruct, frozen=True, kw_only=True):
    """Where a Pod stands."""

    phase: str = ""
    pod_ip: str = ""
    conditions: tuple[Condition, ...] = ()


class Pod(ApiStruct, frozen=True, kw_only=True):
    """A Pod as it is found; solver Pods are written as plain JSON."""

    api_version: str = always("v1")
    kind: str = always("Pod")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


class ServiceAccount(ApiStruct, frozen=True, kw_only=True):
    """A service account."""

    api_version: str = always("v1")
    kind: str = always("ServiceAccount")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()


class ResourceAttributes(ApiStruct, frozen=True, kw_only=True):
    """The action that is asked about."""

    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""


class SubjectAccessReviewSpec(ApiStruct, frozen=True, kw_only=True):
    """Who would do what."""

    resource_attributes: ResourceAttributes | None = None
    user: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    uid: str = ""


class SubjectAccessReviewStatus(ApiStruct, frozen=True, kw_only=True):
    """The server's answer."""

    allowed: bool
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SubjectAccessReview(ApiStruct, frozen=True, kw_only=True):
    """An authorization.k8s.io/v1 SubjectAccessReview: may someone do something?"""

    api_version: str = always("authorization.k8s.io/v1")
    kind: str = always("SubjectAccessReview")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: SubjectAccessReviewSpec
    status: SubjectAccessReviewStatus | None = None
