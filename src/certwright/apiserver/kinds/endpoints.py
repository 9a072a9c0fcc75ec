"""Endpoints and EndpointSlice."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address, ip_network

from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks
from certwright.apiserver.kinds.build import AGE, Kind, columns
from certwright.apiserver.kinds.cluster import OBJECT_REFERENCE
from certwright.apiserver.kinds.dsl import (
    anything,
    fields,
    items,
    members,
    number,
    root,
    text,
    texts_by_name,
    truth,
    whole,
)
from certwright.apiserver.kinds.services import PROTOCOLS
from certwright.apiserver.objects import children, texts
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, duplicate, invalid, not_supported, required, too_many
from certwright.apiserver.schema.names import dns_subdomain
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import ENDPOINTS, ENDPOINTSLICES

_LOCAL_MULTICAST = (ip_network("224.0.0.0/24"), ip_network("ff02::/16"))
_MOST_ADDRESSES = 100
_MOST_ENDPOINTS = 1000

_ENDPOINT_PORT = whole(
    fields(
        "A port.",
        name=text("Name, as in the service."),
        port=number("The port."),
        protocol=text("TCP, UDP or SCTP.", default="TCP"),
        appProtocol=text("The protocol on top."),
    )
)
_ENDPOINT_ADDRESS = whole(
    fields(
        "An address.",
        needs=("ip",),
        ip=text("The address."),
        hostname=text("Its host name."),
        nodeName=text("Its node."),
        targetRef=OBJECT_REFERENCE,
    )
)


def _endpoints_text(endpoints: JSONObject, _now: datetime) -> str:
    shown = []
    for subset in children(endpoints, "subsets"):
        hosts = [text_of(address, "ip") for address in children(subset, "addresses")]
        ports = children(subset, "ports")
        shown += [f"{host}:{port.get('port')}" for port in ports for host in hosts] if ports else hosts
    return _first(shown, 3)


def _first(shown: list[str], most: int) -> str:
    more = f" + {len(shown) - most} more..." if len(shown) > most else ""
    return ",".join(shown[:most]) + more if shown else "<none>"


ENDPOINT = Kind(
    resource=ENDPOINTS,
    schema=root(
        "The addresses behind a service; EndpointSlice has taken its place.",
        subsets=items(
            fields(
                "Addresses with the same ports.",
                addresses=items(_ENDPOINT_ADDRESS, "Ready addresses."),
                notReadyAddresses=items(_ENDPOINT_ADDRESS, "Addresses that are not ready."),
                ports=items(_ENDPOINT_PORT, "The ports."),
            ),
            "Sets of addresses.",
        ),
    ),
    singular="endpoints",
    short_names=("ep",),
    columns=columns(Column("Endpoints", cell=_endpoints_text)),
    deprecation_warning="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
)


def _slice_faults(endpoint_slice: JSONObject, old: JSONObject | None) -> list[Cause]:
    kind = text_of(endpoint_slice, "addressType")
    found: list[Cause] = []
    if not kind:
        found.append(required("addressType"))
    elif kind not in {"IPv4", "IPv6", "FQDN"}:
        found.append(not_supported("addressType", kind, ("FQDN", "IPv4", "IPv6")))
    endpoints = children(endpoint_slice, "endpoints")
    if len(endpoints) > _MOST_ENDPOINTS:
        found.append(too_many("endpoints", len(endpoints), _MOST_ENDPOINTS))
    for index, endpoint in enumerate(endpoints):
        found += _endpoint_faults(endpoint, kind, f"endpoints[{index}].addresses")
    ports = children(endpoint_slice, "ports")
    names = [text_of(port, "name") for port in ports]
    for index, port in enumerate(ports):
        if names[index] in names[:index]:
            found.append(duplicate(f"ports[{index}].name", names[index]))
        if port.get("protocol") not in PROTOCOLS:
            found.append(not_supported(f"ports[{index}].protocol", port.get("protocol"), PROTOCOLS))
    if old is not None and kind != text_of(old, "addressType"):
        found.append(invalid("addressType", kind, "field is immutable"))
    return found


def _endpoint_faults(endpoint: JSONObject, kind: str, path: str) -> list[Cause]:
    addresses = texts(endpoint, "addresses")
    if not addresses:
        return [required(path, "must contain at least 1 address")]
    if len(addresses) > _MOST_ADDRESSES:
        return [too_many(path, len(addresses), _MOST_ADDRESSES)]
    return [cause for index, each in enumerate(addresses) for cause in _address_faults(each, kind, f"{path}[{index}]")]


def _address_faults(address: str, kind: str, path: str) -> list[Cause]:
    if kind == "FQDN":
        return [invalid(path, address, fault) for fault in dns_subdomain(address.removesuffix("."))]
    try:
        parsed = ip_address(address)
    except ValueError:
        return [invalid(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    if (parsed.version == 4) != (kind == "IPv4"):
        return [invalid(path.rpartition("[")[0], address, f"must be an {kind} address")] if kind else []
    rules = {
        f"may not be unspecified ({address})": parsed.is_unspecified,
        "may not be in the loopback range (127.0.0.0/8, ::1/128)": parsed.is_loopback,
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)": parsed.is_link_local,
        "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)": any(
            parsed in network for network in _LOCAL_MULTICAST
        ),
    }
    return [invalid(path, address, rule) for rule, is_broken in rules.items() if is_broken]


def _slice_ports(endpoint_slice: JSONObject, _now: datetime) -> str:
    shown = [str(port["port"]) if port.get("port") else "*" for port in children(endpoint_slice, "ports")]
    return _first(shown, 3) if shown else "<unset>"


def _slice_endpoints(endpoint_slice: JSONObject, _now: datetime) -> str:
    hosts = [host for endpoint in children(endpoint_slice, "endpoints") for host in texts(endpoint, "addresses")]
    return _first(hosts, 3) if hosts else "<unset>"


_ENDPOINT = fields(
    "One endpoint.",
    needs=("addresses",),
    addresses=members(text(), "Its addresses."),
    conditions=fields(
        "Its state.",
        ready=truth("Whether it takes traffic."),
        serving=truth("Whether it answers."),
        terminating=truth("Whether it is ending."),
    ),
    hostname=text("Its host name."),
    targetRef=OBJECT_REFERENCE,
    deprecatedTopology=texts_by_name("Deprecated."),
    nodeName=text("Its node."),
    zone=text("Its zone."),
    hints=anything("For whom it is best."),
)


def _default_slice(endpoints: JSONObject) -> None:
    if not endpoints.get("endpoints"):
        endpoints["endpoints"] = []
    for port in children(endpoints, "ports"):
        port.setdefault("name", "")


ENDPOINT_SLICE = Kind(
    resource=ENDPOINTSLICES,
    schema=root(
        "Some of the endpoints of a service.",
        needs=("endpoints", "addressType"),
        addressType=text("IPv4, IPv6 or FQDN; cannot change."),
        endpoints=items(_ENDPOINT, "The endpoints."),
        ports=items(_ENDPOINT_PORT, "The ports of every endpoint."),
    ),
    columns=(
        NAME_COLUMN,
        Column("AddressType", path=".addressType"),
        Column("Ports", cell=_slice_ports),
        Column("Endpoints", cell=_slice_endpoints),
        AGE,
    ),
    counts_generations=True,
    hooks=Hooks(default=_default_slice, faults=_slice_faults),
)
KINDS = (ENDPOINT, ENDPOINT_SLICE)
