"""The hub: issuers and Certificates of both API groups, as the engine below sees them.

One engine, two dialects: a decoder for each group makes these values, and a presenter for each group says in its own
words what came of them. No object is ever rewritten into the other group's spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.acme_dns01 import DNS01
from certwright.api.core import InvolvedObject
from certwright.api.meta import Condition, ObjectMeta, ObjectReference
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP, ConditionType
from certwright.rules.conditions import find_condition


class Dialect(Enum):
    """The API group an object was written in."""

    MODERN = CERT_MANAGER_GROUP
    LEGACY = LEGACY_GROUP

    # It is a part of every key: Enum would hash the member's name, in Python.
    __hash__ = object.__hash__

    @property
    def api_version(self) -> str:
        """Group and version."""
        return f"{self.value}/v1" if self is Dialect.MODERN else f"{self.value}/v1alpha1"


class CertificateKey(NamedTuple):
    """Which Certificate."""

    dialect: Dialect
    namespace: str
    name: str


class IssuerKey(NamedTuple):
    """Which issuer; `namespace` is empty for a ClusterIssuer."""

    dialect: Dialect
    kind: Literal["Issuer", "ClusterIssuer"]
    namespace: str
    name: str


class HubIssuer(Struct, frozen=True, kw_only=True):
    """An Issuer or ClusterIssuer of either group.

    `named_solvers` are the legacy `acme.dns01.providers` by name; `plain_http01` is the legacy `acme.http01`.
    `problem` says why the spec cannot work whatever happens elsewhere (empty: it can); `problem_reason` is its word.
    """

    key: IssuerKey
    metadata: ObjectMeta
    spec: cm.IssuerSpec
    status: cm.IssuerStatus = cm.IssuerStatus()
    named_solvers: Mapping[str, DNS01] = msgspec.field(default_factory=dict)
    plain_http01: acme.HTTP01Ingress | None = None
    problem: str = ""
    problem_reason: str = ""

    @property
    def ready(self) -> Condition | None:
        """The Ready condition."""
        return condition_of(self.status.conditions, ConditionType.READY)

    @property
    def is_ready(self) -> bool:
        """Whether it can sign, as far as its status says, for the spec it has now."""
        found = self.ready
        return found is not None and found.status == "True"

    @property
    def reference(self) -> ObjectReference:
        """How a CertificateRequest names it."""
        return ObjectReference(name=self.key.name, kind=self.key.kind, group=self.key.dialect.value)

    def secrets_namespace(self, cluster_resource_namespace: str) -> str:
        """Where the Secrets are that it refers to."""
        return self.key.namespace or cluster_resource_namespace

    @property
    def about(self) -> InvolvedObject:
        """For events."""
        return _about(self.metadata, self.key.kind, self.key.dialect)


class HubCertificate(Struct, frozen=True, kw_only=True):
    """A Certificate of either group.

    `plan` is the legacy `acme.config`; None where the issuer's own solvers are to be matched.
    `problem` says why the spec cannot work until it or its issuer is edited (empty: it can); `problem_reason` is its
    word. `unissuable` says why no certificate is made for it now, while one that is there stays good.
    """

    key: CertificateKey
    metadata: ObjectMeta
    spec: cm.CertificateSpec
    status: cm.CertificateStatus = cm.CertificateStatus()
    plan: tuple[legacy.DomainSolver, ...] | None = None
    problem: str = ""
    problem_reason: str = ""
    unissuable: str = ""

    @property
    def about(self) -> InvolvedObject:
        """For events."""
        return _about(self.metadata, "Certificate", self.key.dialect)


def modern_certificate(found: cm.Certificate) -> HubCertificate:
    """A cert-manager.io Certificate in the hub."""
    key = CertificateKey(Dialect.MODERN, found.metadata.namespace, found.metadata.name)
    return HubCertificate(key=key, metadata=found.metadata, spec=found.spec, status=found.status)


def modern_issuer(found: cm.Issuer | cm.ClusterIssuer) -> HubIssuer:
    """A cert-manager.io Issuer or ClusterIssuer in the hub."""
    kind: Literal["Issuer", "ClusterIssuer"] = "Issuer" if isinstance(found, cm.Issuer) else "ClusterIssuer"
    namespace = found.metadata.namespace if kind == "Issuer" else ""
    key = IssuerKey(Dialect.MODERN, kind, namespace, found.metadata.name)
    return HubIssuer(key=key, metadata=found.metadata, spec=found.spec, status=found.status)


def condition_of(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of that type; None where there is none."""
    return find_condition(conditions, kind)


def _about(metadata: ObjectMeta, kind: str, dialect: Dialect) -> InvolvedObject:
    return InvolvedObject(
        kind=kind,
        namespace="" if kind == "ClusterIssuer" else metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        api_version=dialect.api_version,
        resource_version=metadata.resource_version,
    )
