"""The objects that lead requests for a challenge to the shared responder, as JSON."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Mapping

from certwright.api.acme_v1 import HTTP01GatewayHTTPRoute, HTTP01Ingress, ParentReference
from certwright.api.meta import OwnerReference, to_json
from certwright.api.wellknown import Label, LegacyKey, ShimAnnotation
from certwright.kube.wire.json import JSON, JSONObject
from certwright.solvers.http01.challenge import Http01Challenge

GENERATED_NAME = "cm-acme-http-solver-"
SERVICE_PORT = 8089
PORT_NAME = "http"
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
SLICE_MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by"
SLICE_MANAGER = "certwright.io"
WHITELIST = "whitelist-source-range"
NO_ISTIO_AUTH: Mapping[str, str] = {f"auth.istio.io/{SERVICE_PORT}": "NONE"}
SERVICE_TYPES = {"": "NodePort", "NodePort": "NodePort", "ClusterIP": "ClusterIP"}


def solver_labels(challenge: Http01Challenge) -> dict[str, str]:
    """What the objects of one challenge are found by; those of v0.5 beside them for its Certificates."""
    domain, token = _adler32(challenge.identifier), _adler32(challenge.token)
    modern = {Label.HTTP_DOMAIN: domain, Label.HTTP_TOKEN: token, Label.HTTP01_SOLVER: "true"}
    legacy = {LegacyKey.HTTP_DOMAIN: domain, LegacyKey.HTTP_TOKEN: token} if challenge.legacy else {}
    return modern | legacy


def service_type(challenge: Http01Challenge) -> str:
    """NodePort unless the issuer says ClusterIP: some load balancers only reach nodes."""
    solver = challenge.solver.ingress or challenge.solver.gateway_http_route
    return SERVICE_TYPES.get(solver.service_type if solver else "", "NodePort")


def service(challenge: Http01Challenge, dual_stack: bool, extra_labels: Mapping[str, str]) -> JSONObject:
    """The one Service of a namespace (and type), without selector: EndpointSlices of ours say where it leads."""
    kind = service_type(challenge)
    spec: JSONObject = {"type": kind, "ports": service_ports()}
    if dual_stack:
        spec["ipFamilyPolicy"] = "PreferDualStack"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": service_name(challenge),
            "namespace": challenge.namespace,
            "labels": {**extra_labels, Label.HTTP01_SOLVER: "true"},
            "annotations": dict(NO_ISTIO_AUTH),
            "ownerReferences": [to_json(shared_owner(challenge))],
        },
        "spec": spec,
    }


def service_ports() -> list[JSON]:
    """The one port that every solver Service has."""
    return [{"name": PORT_NAME, "protocol": "TCP", "port": SERVICE_PORT, "targetPort": SERVICE_PORT}]


def service_name(challenge: Http01Challenge) -> str:
    """The same for all challenges of a namespace that ask for the same type."""
    return f"{GENERATED_NAME}{service_type(challenge).lower()}"


def shared_owner(challenge: Http01Challenge) -> OwnerReference:
    """The Challenge as one owner of many; the garbage collector waits for the last of them."""
    owner = challenge.owner
    return OwnerReference(api_version=owner.api_version, kind=owner.kind, name=owner.name, uid=owner.uid)


def endpoint_slices(of: OwnerReference, addresses: tuple[str, ...], port: int) -> dict[str, JSONObject]:
    """By name, a slice for each IP family that the addresses have; `of` is the Service."""
    slices: dict[str, JSONObject] = {}
    for version in (4, 6):
        of_family = [address for address in addresses if ipaddress.ip_address(address).version == version]
        if of_family:
            name = f"{of.name}-ipv{version}"
            slices[name] = _endpoint_slice(name, of, f"IPv{version}", _endpoints(of_family, port))
    return slices


def ingress(
    challenge: Http01Challenge, solver: HTTP01Ingress, path: JSONObject, extra_labels: Mapping[str, str]
) -> JSONObject:
    """A new Ingress for the challenge alone; its name is left to the server."""
    template = solver.ingress_template
    given = dict(template.metadata.annotations) if template else {}
    annotations = {} if any(key.endswith(f"/{WHITELIST}") for key in given) else {_NGINX_WHITELIST: "0.0.0.0/0,::/0"}
    if solver.class_ is not None:
        annotations[ShimAnnotation.INGRESS_CLASS] = solver.class_
    labels = dict(template.metadata.labels) if template else {}
    rule: JSONObject = {"http": {"paths": [path]}}
    spec: JSONObject = {"rules": [{"host": challenge.host, **rule} if challenge.host else rule]}
    if solver.ingress_class_name is not None:
        spec["ingressClassName"] = solver.ingress_class_name
    metadata = metadata_of_one(challenge, {**extra_labels, **labels}, {**annotations, **given})
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def ingress_path(challenge: Http01Challenge, service: str, exact: bool) -> JSONObject:
    """The challenge's path in a rule of an Ingress."""
    return {
        "path": challenge.path,
        "pathType": "Exact" if exact else "ImplementationSpecific",
        "backend": {"service": {"name": service, "port": {"number": SERVICE_PORT}}},
    }


def http_route(
    challenge: Http01Challenge, solver: HTTP01GatewayHTTPRoute, service: str, extra_labels: Mapping[str, str]
) -> JSONObject:
    """A new HTTPRoute for the challenge alone; what the API would fill in is written out."""
    backend: JSONObject = {"group": "", "kind": "Service", "name": service, "port": SERVICE_PORT, "weight": 1}
    match: JSONObject = {"path": {"type": "Exact", "value": challenge.path}}
    spec: JSONObject = {
        "parentRefs": [_parent(parent) for parent in solver.parent_refs],
        "rules": [{"matches": [match], "backendRefs": [backend]}],
    }
    if challenge.host:
        spec["hostnames"] = [challenge.host]
    metadata = metadata_of_one(challenge, {**extra_labels, **solver.labels}, {})
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}


_NGINX_WHITELIST = f"nginx.ingress.kubernetes.io/{WHITELIST}"


def metadata_of_one(
    challenge: Http01Challenge, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> JSONObject:
    """Of an object that belongs to this challenge alone; our labels win over those that were given."""
    found: JSONObject = {
        "generateName": GENERATED_NAME,
        "namespace": challenge.namespace,
        "labels": {**labels, **solver_labels(challenge)},
        "ownerReferences": [to_json(challenge.owner)],
    }
    return {**found, "annotations": dict(annotations)} if annotations else found


def _endpoint_slice(name: str, of: OwnerReference, family: str, rest: JSONObject) -> JSONObject:
    labels: JSONObject = {
        SERVICE_NAME_LABEL: of.name,
        SLICE_MANAGER_LABEL: SLICE_MANAGER,
        Label.HTTP01_SOLVER: "true",
    }
    metadata: JSONObject = {"name": name, "labels": labels, "ownerReferences": [to_json(of)]}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": family,
        **rest,
    }


def _endpoints(addresses: list[str], port: int) -> JSONObject:
    endpoints: list[JSON] = [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]
    return {"endpoints": endpoints, "ports": [{"name": PORT_NAME, "protocol": "TCP", "port": port}]}


def _parent(parent: ParentReference) -> JSONObject:
    return {"group": "gateway.networking.k8s.io", "kind": "Gateway", **to_json(parent)}


def _adler32(text: str) -> str:
    return str(zlib.adler32(text.encode()))
