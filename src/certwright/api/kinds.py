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
from certwright.api.meta import ApiStruct, JSONObject, ObjectMeta, decode
from certwright.api.resource import Kind, Resource, kind_of
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, LEGACY_GROUP

T = TypeVar("T", bound=Struct)


class Unreadable(ApiStruct, frozen=True, kw_only=True):
    """A legacy object with a field that does not fit: `problem` begins with the field's path."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    problem: str = ""


def _legacy(plural: str, kind: str, read: Callable[[JSONObject], T]) -> Kind[T | Unreadable]:
    resource = Resource(LEGACY_GROUP, "v1alpha1", plural, kind, kind != "ClusterIssuer")

    def read_or_keep(raw: bytes) -> T | Unreadable:
        try:
            return read(cast("JSONObject", decode(dict, raw)))
        except LegacyDecodeError as error:
            # v0.5 stalled on one bad object: here it is kept, so that its own status can say what is wrong.
            return msgspec.structs.replace(decode(Unreadable, raw), problem=str(error))

    return Kind(resource, read_or_keep)


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
