"""Ingress, IngressClass and NetworkPolicy."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks
from certwright.apiserver.kinds.build import AGE, Kind, columns
from certwright.apiserver.kinds.dsl import (
    anything,
    fields,
    items,
    label_selector,
    number,
    number_or_text,
    root,
    text,
    whole,
)
from certwright.apiserver.kinds.services import labels_text, number_faults
from certwright.apiserver.objects import child, children, meta, strings, texts
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, invalid, not_supported, required
from certwright.apiserver.schema.names import dns_subdomain
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import INGRESSCLASSES, INGRESSES, Resource

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_BAD_PARTS = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/..", "/.")


def _ingress_faults(ingress: JSONObject, old: JSONObject | None) -> list[Cause]:
    spec = child(ingress, "spec")
    rules = children(spec, "rules")
    backend = spec.get("defaultBackend")
    found: list[Cause] = []
    if not rules and not isinstance(backend, dict):
        found.append(invalid("spec", spec, "either `defaultBackend` or `rules` must be specified"))
    if isinstance(backend, dict):
        found += _backend_faults(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        found += _rule_faults(rule, f"spec.rules[{index}]")
    for index, tls in enumerate(children(spec, "tls")):
        for position, host in enumerate(texts(tls, "hosts")):
            found += _host_faults(host, f"spec.tls[{index}].hosts[{position}]")
    name = text_of(spec, "ingressClassName")
    found += [invalid("spec.ingressClassName", name, fault) for fault in dns_subdomain(name)] if name else []
    if old is None and name and _CLASS_ANNOTATION in strings(meta(ingress), "annotations"):
        value = strings(meta(ingress), "annotations")[_CLASS_ANNOTATION]
        clash = "can not be set when the class field is also set"
        found.append(invalid(f"annotations.{_CLASS_ANNOTATION}", value, clash))
    return found


def _host_faults(host: str, path: str) -> list[Cause]:
    if host.startswith("*."):
        rest = dns_subdomain(host.removeprefix("*."))
        text = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain"
        return [invalid(path, host, f"{text}: {fault}") for fault in rest]
    return [invalid(path, host, fault) for fault in dns_subdomain(host)]


def _rule_faults(rule: JSONObject, path: str) -> list[Cause]:
    host = text_of(rule, "host")
    found = _host_faults(host, f"{path}.host") if host else []
    http = rule.get("http")
    if not isinstance(http, dict):
        return found
    paths = children(http, "paths")
    if not paths:
        found.append(required(f"{path}.http.paths"))
    for index, entry in enumerate(paths):
        found += _path_faults(entry, f"{path}.http.paths[{index}]")
    return found


def _path_faults(entry: JSONObject, place: str) -> list[Cause]:
    kind, path = text_of(entry, "pathType"), text_of(entry, "path")
    found: list[Cause] = []
    if not kind:
        found.append(required(f"{place}.pathType", "pathType must be specified"))
    elif kind not in _PATH_TYPES:
        found.append(not_supported(f"{place}.pathType", kind, _PATH_TYPES))
    elif kind != "ImplementationSpecific":
        found += _strict_path_faults(path, f"{place}.path")
    elif path and not path.startswith("/"):
        found.append(invalid(f"{place}.path", path, "must be an absolute path"))
    return found + _backend_faults(child(entry, "backend"), f"{place}.backend")


def _strict_path_faults(path: str, place: str) -> list[Cause]:
    if not path.startswith("/"):
        return [invalid(place, path, "must be an absolute path")]
    found = [invalid(place, path, f"must not contain '{part}'") for part in _BAD_PARTS if part in path]
    return found + [invalid(place, path, f"cannot end with '{end}'") for end in _BAD_ENDS if path.endswith(end)]


def _backend_faults(backend: JSONObject, path: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if isinstance(service, dict) and isinstance(resource, dict):
        return [invalid(path, "", "cannot set both resource and service backends")]
    if not isinstance(service, dict):
        return [] if isinstance(resource, dict) else [required(path, "port name or number is required")]
    found = [] if text_of(service, "name") else [required(f"{path}.service.name")]
    port = child(service, "port")
    if "name" in port and "number" in port:
        found.append(invalid(path, "", "cannot set both port name & port number"))
    elif "name" not in port and not port.get("number"):
        found.append(required(path, "port name or number is required"))
    elif "number" in port:
        found += number_faults(port.get("number"), f"{path}.service.port.number")
    return found


def _hosts(ingress: JSONObject, _now: datetime) -> str:
    hosts = [text_of(rule, "host") for rule in children(child(ingress, "spec"), "rules")]
    named = [host for host in hosts if host]
    more = f" + {len(named) - 3} more..." if len(named) > 3 else ""
    return ",".join(named[:3]) + more if named else "*"


def _addresses(ingress: JSONObject, _now: datetime) -> str:
    entries = children(child(child(ingress, "status"), "loadBalancer"), "ingress")
    return ",".join(text_of(entry, "ip") or text_of(entry, "hostname") for entry in entries)


def _class(ingress: JSONObject, _now: datetime) -> str:
    named = text_of(child(ingress, "spec"), "ingressClassName")
    return named or strings(meta(ingress), "annotations").get(_CLASS_ANNOTATION, "<none>")


_BACKEND = fields(
    "Where requests go.",
    service=fields(
        "A service.",
        needs=("name",),
        name=text("Its name."),
        port=whole(fields("Its port, by name or number.", name=text("The name."), number=number("The number."))),
    ),
    resource=whole(
        fields(
            "Another object.",
            needs=("kind", "name"),
            apiGroup=text("Its group."),
            kind=text("Its kind."),
            name=text("Its name."),
        )
    ),
)
_PATH = fields(
    "A path and where it goes.",
    needs=("pathType", "backend"),
    path=text("The path."),
    pathType=text("Exact, Prefix or ImplementationSpecific."),
    backend=_BACKEND,
)
INGRESS = Kind(
    resource=INGRESSES,
    schema=root(
        "Rules by which HTTP requests reach services.",
        spec=fields(
            "What is wanted.",
            ingressClassName=text("The IngressClass whose controller acts."),
            defaultBackend={**_BACKEND, "description": "Where requests go that match no rule."},
            tls=items(
                fields(
                    "Hosts and their certificate.",
                    hosts=items(text(), "The hosts."),
                    secretName=text("The Secret with certificate and key."),
                ),
                "TLS for hosts.",
            ),
            rules=items(
                fields(
                    "A rule for a host.",
                    host=text("The host, all where empty."),
                    http=fields("Rules for HTTP.", needs=("paths",), paths=items(_PATH, "The paths.")),
                ),
                "The rules.",
            ),
        ),
        status=fields(
            "What is there.",
            loadBalancer={
                **fields("The load balancer.", ingress=items(anything(), "Its addresses.")),
                "default": {},
            },
        ),
    ),
    short_names=("ing",),
    subresources=("status",),
    columns=(
        NAME_COLUMN,
        Column("Class", cell=_class),
        Column("Hosts", cell=_hosts),
        Column("Address", cell=_addresses),
        Column("Ports", cell=lambda obj, _now: "80, 443" if children(child(obj, "spec"), "tls") else "80"),
        AGE,
    ),
    counts_generations=True,
    hooks=Hooks(faults=_ingress_faults),
)


def _class_faults(ingress_class: JSONObject, old: JSONObject | None) -> list[Cause]:
    controller = text_of(child(ingress_class, "spec"), "controller")
    if old is not None and controller != text_of(child(old, "spec"), "controller"):
        return [invalid("spec.controller", controller, "field is immutable")]
    if controller and "/" not in controller:
        return [invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    return [] if controller else [required("spec.controller")]


def _parameters(ingress_class: JSONObject, _now: datetime) -> str:
    given = child(child(ingress_class, "spec"), "parameters")
    if not given:
        return "<none>"
    group = f".{text_of(given, 'apiGroup')}" if text_of(given, "apiGroup") else ""
    return f"{text_of(given, 'kind')}{group}/{text_of(given, 'name')}"


INGRESS_CLASS = Kind(
    resource=INGRESSCLASSES,
    schema=root(
        "A kind of Ingress and the controller that serves it.",
        spec=fields(
            "What is wanted.",
            controller=text("The controller; cannot change."),
            parameters=fields(
                "An object with more configuration.",
                needs=("kind", "name"),
                apiGroup=text("Its group."),
                kind=text("Its kind."),
                name=text("Its name."),
                namespace=text("Its namespace."),
                scope=text("Cluster or Namespace.", default="Cluster"),
            ),
        ),
    ),
    columns=columns(Column("Controller", path=".spec.controller"), Column("Parameters", cell=_parameters)),
    counts_generations=True,
    hooks=Hooks(faults=_class_faults),
)


def _default_policy(policy: JSONObject) -> None:
    spec = child(policy, "spec")
    if spec and not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


_PEER = fields(
    "Whom a rule is about.",
    podSelector=label_selector(),
    namespaceSelector=label_selector(),
    ipBlock=fields(
        "Addresses.", needs=("cidr",), cidr=text("A range."), except_=items(text(), "Ranges that are left out.")
    ),
)
_POLICY_PORT = fields(
    "A port.",
    protocol=text("TCP, UDP or SCTP.", default="TCP"),
    port=number_or_text("The port."),
    endPort=number("The last port of a range."),
)
NETWORK_POLICY = Kind(
    resource=Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True),
    schema=root(
        "Which traffic pods may have.",
        spec=fields(
            "What is wanted.",
            podSelector=label_selector("The pods that the policy is about."),
            policyTypes=items(text(), "Ingress, Egress."),
            ingress=items(
                fields("Allowed traffic.", ports=items(_POLICY_PORT), from_=items(_PEER)), "Traffic that may come."
            ),
            egress=items(
                fields("Allowed traffic.", ports=items(_POLICY_PORT), to=items(_PEER)), "Traffic that may go."
            ),
        ),
    ),
    short_names=("netpol",),
    columns=columns(
        Column(
            "Pod-Selector",
            cell=lambda obj, _now: labels_text(strings(child(child(obj, "spec"), "podSelector"), "matchLabels")),
        )
    ),
    counts_generations=True,
    hooks=Hooks(default=_default_policy),
)
KINDS = (INGRESS, INGRESS_CLASS, NETWORK_POLICY)
