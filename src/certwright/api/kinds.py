"""The kinds of both API groups of ours: where they are served, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import msgspec
from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.legacy_decoding import LegacyDecodeError
from certwright.api.meta import JSON, ApiStruct, Condition, JSONObject, MalformedObject, ObjectMeta, decode, from_json
from certwright.api.resource import Kind, Resource, kind_of
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, LEGACY_GROUP

T = TypeVar("T", bound=Struct)


class _ReadableStatus(ApiStruct, frozen=True, kw_only=True):
    """The conditions of an object that cannot be read whole."""

    conditions: tuple[Condition, ...] = ()


class Unreadable(ApiStruct, frozen=True, kw_only=True):
    """A legacy object with a field that does not fit: `problem` begins with the field's path."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    problem: str = ""
    conditions: tuple[Condition, ...] = ()


class _Head(ApiStruct, frozen=True, kw_only=True):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


def _legacy(plural: str, kind: str, read: Callable[[JSONObject], T]) -> Kind[T | Unreadable]:
    resource = Resource(LEGACY_GROUP, "v1alpha1", plural, kind, kind != "ClusterIssuer")

    def read_or_keep(raw: bytes) -> T | Unreadable:
        plain = cast("JSONObject", decode(dict, raw))
        try:
            return read(plain)
        except LegacyDecodeError as error:
            # v0.5 stalled on one bad object: here it is kept, so that its own status can say what is wrong.
            return Unreadable(
                metadata=decode(_Head, raw).metadata, problem=str(error), conditions=_conditions(plain.get("status"))
            )

    return Kind(resource, read_or_keep)


def _conditions(status: JSON) -> tuple[Condition, ...]:
    try:
        return from_json(_ReadableStatus, status).conditions
    except MalformedObject:
        return ()


CERTIFICATE = kind_of(Resource(CERT_MANAGER_GROUP, "v1", "certificates", "Certificate", True), cm.Certificate)
CERTIFICATE_REQUEST = kind_of(
    Resource(CERT_MANAGER_GROUP, "v1", "certificaterequests", "CertificateRequest", True), cm.CertificateRequest
)
ISSUER = kind_of(Resource(CERT_MANAGER_GROUP, "v1", "issuers", "Issuer", True), cm.Issuer)
CLUSTER_ISSUER = kind_of(Resource(CERT_MANAGER_GROUP, "v1", "clusterissuers", "ClusterIssuer", False), cm.ClusterIssuer)
ORDER = kind_of(Resource(ACME_GROUP, "v1", "orders", "Order", True), acme.Order)
CHALLENGE = kind_of(Resource(ACME_GROUP, "v1", "challenges", "Challenge", True), acme.Challenge)
LEGACY_CERTIFICATE = _legacy("certificates", "Certificate", legacy.decode_certificate)
LEGACY_ISSUER = _legacy("issuers", "Issuer", legacy.decode_issuer)
LEGACY_CLUSTER_ISSUER = _legacy("clusterissuers", "ClusterIssuer", legacy.decode_cluster_issuer)
