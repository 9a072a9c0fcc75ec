"""The CustomResourceDefinitions: names, columns and selectable fields of each kind, with schemas from the Structs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from certwright.api.acme_v1 import Challenge, Order
from certwright.api.certmanager_v1 import Certificate, CertificateRequest, ClusterIssuer, Issuer
from certwright.api.meta import JSON, ApiStruct, JSONObject, always, to_json
from certwright.api.schema import struct_schema
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, LEGACY_GROUP

Scope = Literal["Namespaced", "Cluster"]


class PrinterColumn(ApiStruct, frozen=True):
    """A column of `kubectl get`; priority 1 shows with `-o wide` only."""

    name: str
    json_path: str
    type: str = always("string")
    priority: int = 0


class Kind(Struct, frozen=True, kw_only=True):
    """What a CRD says beside its schema."""

    name: str
    group: str
    version: str
    plural: str
    scope: Scope = "Namespaced"
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[PrinterColumn, ...]
    selectable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    model: type[Struct] | None = None
    """None: any fields are kept and none is described."""


def _condition(type_: str, field: str) -> str:
    return f'.status.conditions[?(@.type == "{type_}")].{field}'


_READY = PrinterColumn("Ready", _condition("Ready", "status"))
_STATUS = PrinterColumn("Status", _condition("Ready", "message"), priority=1)
_SECRET = PrinterColumn("Secret", ".spec.secretName")
_ISSUER = PrinterColumn("Issuer", ".spec.issuerRef.name", priority=1)
_STATE = PrinterColumn("State", ".status.state")
_REASON = PrinterColumn("Reason", ".status.reason", priority=1)
_AGE = PrinterColumn("Age", ".metadata.creationTimestamp", type="date")
_BY_ISSUER = (".spec.issuerRef.group", ".spec.issuerRef.kind", ".spec.issuerRef.name")

V1_KINDS = (
    Kind(
        name="Certificate",
        group=CERT_MANAGER_GROUP,
        version="v1",
        plural="certificates",
        short_names=("cert", "certs"),
        categories=("cert-manager",),
        columns=(
            _READY,
            _SECRET,
            _ISSUER,
            _STATUS,
            PrinterColumn("Expiration", ".status.notAfter", priority=1),
            _AGE,
        ),
        selectable=_BY_ISSUER,
        model=Certificate,
    ),
    Kind(
        name="CertificateRequest",
        group=CERT_MANAGER_GROUP,
        version="v1",
        plural="certificaterequests",
        short_names=("cr", "crs"),
        categories=("cert-manager",),
        columns=(
            PrinterColumn("Approved", _condition("Approved", "status")),
            PrinterColumn("Denied", _condition("Denied", "status")),
            _READY,
            PrinterColumn("Issuer", ".spec.issuerRef.name"),
            PrinterColumn("Requester", ".spec.username"),
            _STATUS,
            _AGE,
        ),
        selectable=_BY_ISSUER,
        model=CertificateRequest,
    ),
    Kind(
        name="Issuer",
        group=CERT_MANAGER_GROUP,
        version="v1",
        plural="issuers",
        short_names=("iss",),
        categories=("cert-manager",),
        columns=(_READY, _STATUS, _AGE),
        required=("spec",),
        model=Issuer,
    ),
    Kind(
        name="ClusterIssuer",
        group=CERT_MANAGER_GROUP,
        version="v1",
        plural="clusterissuers",
        scope="Cluster",
        short_names=("ciss",),
        categories=("cert-manager",),
        columns=(_READY, _STATUS, _AGE),
        required=("spec",),
        model=ClusterIssuer,
    ),
    Kind(
        name="Order",
        group=ACME_GROUP,
        version="v1",
        plural="orders",
        categories=("cert-manager", "cert-manager-acme"),
        columns=(_STATE, _ISSUER, _REASON, _AGE),
        selectable=_BY_ISSUER,
        required=("metadata", "spec"),
        model=Order,
    ),
    Kind(
        name="Challenge",
        group=ACME_GROUP,
        version="v1",
        plural="challenges",
        categories=("cert-manager", "cert-manager-acme"),
        columns=(_STATE, PrinterColumn("Domain", ".spec.dnsName"), _REASON, _AGE),
        selectable=_BY_ISSUER,
        required=("metadata", "spec"),
        model=Challenge,
    ),
)

# No short names: with `cert` in both groups kubectl would warn at every `kubectl get cert`.
LEGACY_KINDS = (
    Kind(
        name="Certificate",
        group=LEGACY_GROUP,
        version="v1alpha1",
        plural="certificates",
        columns=(_READY, _SECRET, _ISSUER, _STATUS, _AGE),
    ),
    Kind(name="Issuer", group=LEGACY_GROUP, version="v1alpha1", plural="issuers", columns=(_READY, _STATUS, _AGE)),
    Kind(
        name="ClusterIssuer",
        group=LEGACY_GROUP,
        version="v1alpha1",
        plural="clusterissuers",
        scope="Cluster",
        columns=(_READY, _STATUS, _AGE),
    ),
)

# The group ends in .k8s.io, which is protected: without this annotation the API server refuses the CRD.
_LEGACY_ANNOTATIONS = {
    "api-approved.kubernetes.io": "unapproved, legacy compatibility with cert-manager v0.5",
}


def custom_resource_definition(kind: Kind) -> JSONObject:
    """The CRD of a kind, as `apiextensions.k8s.io/v1`."""
    metadata: JSONObject = {"name": f"{kind.plural}.{kind.group}"}
    if kind.group == LEGACY_GROUP:
        metadata["annotations"] = dict(_LEGACY_ANNOTATIONS)
    spec: JSONObject = {
        "group": kind.group,
        "names": _names(kind),
        "scope": kind.scope,
        "versions": [_version(kind)],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }


def _names(kind: Kind) -> JSONObject:
    names: JSONObject = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.name.lower(),
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    if kind.categories:
        names["categories"] = list(kind.categories)
    return names


def _version(kind: Kind) -> JSONObject:
    version: JSONObject = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [to_json(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": _root_schema(kind) if kind.model else _open_schema()},
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return version


def _root_schema(kind: Kind) -> JSONObject:
    assert kind.model is not None
    schema = struct_schema(kind.model)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    properties["apiVersion"] = {"type": "string", "description": "Group and version of the object."}
    properties["kind"] = {"type": "string", "description": "Kind of the object."}
    properties["metadata"] = {"type": "object"}
    schema.pop("required", None)
    if kind.required:
        schema["required"] = list(kind.required)
    return {"description": (kind.model.__doc__ or "").strip()} | schema


def _open_schema() -> JSONObject:
    open_object: JSONObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    inner: dict[str, JSON] = {"spec": dict(open_object), "status": dict(open_object)}
    return open_object | {"properties": inner}
