"""Service."""

from __future__ import annotations

import hashlib
from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks
from certwright.apiserver.kinds.build import AGE, Kind
from certwright.apiserver.kinds.dsl import (
    anything,
    conditions,
    fields,
    items,
    keyed,
    number,
    number_or_text,
    root,
    text,
    texts_by_name,
    truth,
    whole,
)
from certwright.apiserver.objects import child, children, ensure, meta, strings, texts
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, duplicate, invalid, not_supported, required
from certwright.apiserver.schema.names import dns_label, dns_subdomain, label_1035_name
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import SERVICES

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_LAST_PORT = 65535
_NODE_PORTS = range(30000, 32768)


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8])


def _default_service(service: JSONObject) -> None:
    spec = ensure(service, "spec")
    for port in children(spec, "ports"):
        port.setdefault("targetPort", port.get("port"))
    if text_of(spec, "type") != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if text_of(spec, "type") in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if text_of(spec, "type") == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _address(service: JSONObject) -> str:
    """A cluster address of 10.96.0.0/16 that follows from who the service is; nothing routes it here."""
    chosen = _hash(text_of(meta(service), "namespace"), text_of(meta(service), "name")) % 65_000 + 10
    return f"10.96.{chosen // 256}.{chosen % 256}"


def _allocate(service: JSONObject, _now: datetime) -> None:
    _allocate_addresses(service)


def _allocate_addresses(service: JSONObject) -> None:
    spec = ensure(service, "spec")
    if text_of(spec, "type") == "ExternalName":
        return
    address = text_of(spec, "clusterIP") or _address(service)
    spec["clusterIP"] = address
    spec.setdefault("clusterIPs", [address])
    spec.setdefault("ipFamilies", ["IPv6" if ":" in address else "IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if text_of(spec, "type") in {"NodePort", "LoadBalancer"}:
        for port in children(spec, "ports"):
            seed = _hash(text_of(meta(service), "name"), text_of(meta(service), "namespace"), str(port.get("port")))
            port.setdefault("nodePort", _NODE_PORTS[seed % len(_NODE_PORTS)])


def _reallocate(service: JSONObject, old: JSONObject) -> None:
    """What was allocated stays unless the update says otherwise."""
    spec, before = ensure(service, "spec"), child(old, "spec")
    if text_of(spec, "type") == text_of(before, "type"):
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in before:
                spec.setdefault(name, before[name])
        ports = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in children(before, "ports")}
        for port in children(spec, "ports"):
            kept = ports.get((port.get("port"), port.get("protocol")))
            if kept is not None:
                port.setdefault("nodePort", kept)
    _allocate_addresses(service)


def _service_faults(service: JSONObject, old: JSONObject | None) -> list[Cause]:
    spec = child(service, "spec")
    ports = children(spec, "ports")
    kind = text_of(spec, "type")
    found: list[Cause] = []
    if not ports and kind != "ExternalName" and text_of(spec, "clusterIP") != "None":
        found.append(required("spec.ports"))
    if kind not in _TYPES:
        found.append(not_supported("spec.type", kind, _TYPES))
    if kind == "ExternalName" and dns_subdomain(text_of(spec, "externalName").removesuffix(".")):
        name = text_of(spec, "externalName")
        fault = dns_subdomain(name.removesuffix("."))[0]
        found.append(invalid("spec.externalName", name, fault) if name else required("spec.externalName"))
    found += _port_faults(ports, "spec.ports", len(ports) > 1)
    if old is not None and kind == text_of(child(old, "spec"), "type") and kind != "ExternalName":
        address = text_of(spec, "clusterIP")
        if address != text_of(child(old, "spec"), "clusterIP"):
            found.append(invalid("spec.clusterIPs[0]", [address], "may not change once set"))
    return found


def _port_faults(ports: list[JSONObject], path: str, needs_names: bool) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"{path}[{index}]", text_of(port, "name")
        if not name and needs_names:
            found.append(required(f"{place}.name"))
        if name:
            found += [invalid(f"{place}.name", name, fault) for fault in dns_label(name)]
            found += [duplicate(f"{place}.name", name)] if name in seen else []
            seen.add(name)
        found += number_faults(port.get("port"), f"{place}.port")
        if port.get("protocol") not in PROTOCOLS:
            found.append(not_supported(f"{place}.protocol", port.get("protocol"), PROTOCOLS))
        target = port.get("targetPort")
        if isinstance(target, int):
            found += number_faults(target, f"{place}.targetPort")
    return found


def number_faults(port: JSON, path: str) -> list[Cause]:
    """What is wrong with the number of a port."""
    count = port if isinstance(port, int) and not isinstance(port, bool) else 0
    return [] if 1 <= count <= _LAST_PORT else [invalid(path, count, "must be between 1 and 65535, inclusive")]


def _external(service: JSONObject, _now: datetime) -> str:
    spec = child(service, "spec")
    given = texts(spec, "externalIPs")
    balancer = [
        text_of(entry, "ip") or text_of(entry, "hostname")
        for entry in children(child(child(service, "status"), "loadBalancer"), "ingress")
    ]
    match text_of(spec, "type"):
        case "LoadBalancer":
            return ",".join(balancer + given) or "<pending>"
        case "ExternalName":
            return text_of(spec, "externalName")
    return ",".join(given) or "<none>"


def _ports(service: JSONObject, _now: datetime) -> str:
    shown = []
    for port in children(child(service, "spec"), "ports"):
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{node_port}/{port.get('protocol')}")
    return ",".join(shown) or "<none>"


def labels_text(labels: dict[str, str]) -> str:
    """Labels as columns show them: `a=b,c=d`, or `<none>`."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items())) or "<none>"


_SERVICE_PORT = fields(
    "A port of the service.",
    needs=("port",),
    name=text("Name, needed where there are several ports."),
    protocol=text("TCP, UDP or SCTP.", default="TCP"),
    appProtocol=text("The protocol on top."),
    port=number("The port of the service."),
    targetPort=number_or_text("The port, or its name, at the pods."),
    nodePort=number("The port at every node."),
)
SERVICE = Kind(
    resource=SERVICES,
    schema=root(
        "A stable address for a set of pods.",
        spec=fields(
            "What is wanted.",
            ports=keyed(_SERVICE_PORT, "port", "protocol", description="The ports."),
            selector=whole(texts_by_name("Labels of the pods; without it endpoints are kept by hand.")),
            clusterIP=text("The address inside the cluster, or None."),
            clusterIPs=items(text(), "All addresses inside the cluster."),
            type=text("ClusterIP, NodePort, LoadBalancer or ExternalName.", default="ClusterIP"),
            externalIPs=items(text(), "Addresses that nodes also take traffic for."),
            sessionAffinity=text("ClientIP or None.", default="None"),
            sessionAffinityConfig=anything("How long a client keeps its pod."),
            loadBalancerIP=text("Deprecated."),
            loadBalancerSourceRanges=items(text(), "From where a load balancer takes traffic."),
            loadBalancerClass=text("Which load balancer."),
            allocateLoadBalancerNodePorts=truth("Whether a load balancer gets node ports."),
            externalName=text("The DNS name that the service stands for."),
            externalTrafficPolicy=text("Cluster or Local."),
            internalTrafficPolicy=text("Cluster or Local."),
            trafficDistribution=text("How traffic is spread."),
            healthCheckNodePort=number("The port of health checks."),
            publishNotReadyAddresses=truth("Whether pods count before they are ready."),
            ipFamilies=items(text(), "IPv4, IPv6."),
            ipFamilyPolicy=text("SingleStack, PreferDualStack or RequireDualStack."),
        ),
        status=fields(
            "What is there.",
            loadBalancer={
                **fields("The load balancer.", ingress=items(anything(), "Its addresses.")),
                "default": {},
            },
            conditions=conditions(),
        ),
    ),
    short_names=("svc",),
    categories=("all",),
    subresources=("status",),
    columns=(
        NAME_COLUMN,
        Column("Type", path=".spec.type"),
        Column("Cluster-IP", cell=lambda obj, _now: text_of(child(obj, "spec"), "clusterIP") or "<none>"),
        Column("External-IP", cell=_external),
        Column("Port(s)", cell=_ports),
        AGE,
        Column("Selector", priority=1, cell=lambda obj, _now: labels_text(strings(child(obj, "spec"), "selector"))),
    ),
    selectable_fields=("spec.clusterIP", "spec.type"),
    name_rule=label_1035_name,
    hooks=Hooks(default=_default_service, prepare_create=_allocate, prepare_update=_reallocate, faults=_service_faults),
)

KINDS = (SERVICE,)
