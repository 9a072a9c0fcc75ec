"""Certificates, requests and Secrets as the rules see them, made from real keys and certificates."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import JSONObject, ObjectMeta, ObjectReference, OwnerReference, from_json, to_json
from certwright.cluster.facts import TARGET_SECRET, request_facts, secret_facts
from certwright.pki import pem
from certwright.pki.csr import build_request, parse_request
from certwright.pki.issuance import Signer, Terms, sign, sign_with_own_key
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, encode_private_key, generate
from certwright.rules.facts import TARGET_MANAGER, TEMPORARY_ISSUER, RequestFacts, SecretFacts
from certwright.rules.hub import HubCertificate, modern_certificate
from certwright.rules.request_content import Asked, certificate_request, request_content
from certwright.rules.secret_contents import secret_metadata

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
UID = "11111111-2222-3333-4444-555555555555"
ISSUER = ObjectReference(name="ca")


@cache
def key(algorithm: str = "ECDSA", size: int = 256, number: int = 0) -> PrivateKey:
    """The same key for the same words."""
    return generate(KeySpec(KeyAlgorithm(algorithm), size))


def spec(**fields: Any) -> cm.CertificateSpec:
    """A spec in the words of the API; P-256 for web.example.test unless told otherwise."""
    wanted: JSONObject = {
        "secretName": "web",
        "dnsNames": ["web.example.test"],
        "privateKey": {"algorithm": "ECDSA"},
        "issuerRef": {"name": "ca"},
        **fields,
    }
    return from_json(cm.CertificateSpec, {name: value for name, value in wanted.items() if value is not None})


def certificate(name: str = "web", created: datetime = NOW, **fields: Any) -> HubCertificate:
    """A Certificate with that spec."""
    metadata = ObjectMeta(name=name, namespace="here", uid=UID, generation=1, creation_timestamp=created)
    return modern_certificate(cm.Certificate(metadata=metadata, spec=spec(**fields)))


def csr(wanted: cm.CertificateSpec, signer: PrivateKey | None = None, *, basic_constraints: bool = False) -> bytes:
    """The signing request for a spec."""
    return build_request(request_content(wanted, basic_constraints=basic_constraints), signer or key())


def chain(wanted: cm.CertificateSpec, signer: PrivateKey | None = None, at: datetime = NOW) -> bytes:
    """A self-signed certificate for a spec, as PEM."""
    signer = signer or key()
    terms = Terms(usages=wanted.usages, is_ca=wanted.is_ca, lifetime=timedelta(days=90))
    return pem.write_certificates([sign_with_own_key(parse_request(csr(wanted, signer)), signer, terms, at)])


def temporary_chain(wanted: cm.CertificateSpec) -> bytes:
    """A temporary certificate."""
    signer = Signer(name=TEMPORARY_ISSUER, key_id=b"", key=key("ECDSA", 521))
    return pem.write_certificates([sign(parse_request(csr(wanted)), signer, Terms(), NOW)])


def request(
    wanted: HubCertificate,
    *,
    revision: int = 1,
    signer: PrivateKey | None = None,
    basic_constraints: bool = False,
    **status: Any,
) -> RequestFacts:
    """The CertificateRequest of a revision."""
    asked = Asked(revision=revision, key_secret_name="web-abcde", copied_prefixes=())
    made = certificate_request(wanted, csr(wanted.spec, signer, basic_constraints=basic_constraints), asked)
    told = from_json(cm.CertificateRequestStatus, status)
    return request_facts(replace(made, metadata=replace(made.metadata, uid=f"r{revision}"), status=told))


def ready(status: str, reason: str, **more: str) -> JSONObject:
    """A Ready condition in the words of the API."""
    return {"type": "Ready", "status": status, "reason": reason, **more}


def secret(wanted: HubCertificate, **changes: Any) -> SecretFacts:
    """The target Secret as our controller writes it; `data`, `annotations` and `labels` are laid over that."""
    signer = changes.pop("signer", None) or key()
    text = changes.pop("chain", None) or chain(wanted.spec, signer)
    data: dict[str, bytes | None] = {"tls.key": encode_private_key(signer), "tls.crt": text}
    bare = secret_of(wanted, {name: value for name, value in data.items() if value}, {}, {})
    assert bare.leaf is not None
    metadata = secret_metadata(wanted, bare.leaf.identity, ISSUER)
    data |= changes.pop("data", {})
    return secret_of(
        wanted,
        {name: value for name, value in data.items() if value is not None},
        _over(metadata.labels, changes.pop("labels", {})),
        _over(metadata.annotations, changes.pop("annotations", {})),
        **changes,
    )


def secret_of(
    wanted: HubCertificate,
    data: dict[str, bytes],
    labels: dict[str, str],
    annotations: dict[str, str],
    *,
    manager: str = TARGET_MANAGER,
    owners: tuple[OwnerReference, ...] = (),
) -> SecretFacts:
    """A Secret of which one manager owns everything."""
    owned: JSONObject = {
        "f:metadata": {
            "f:labels": {f"f:{name}": {} for name in labels},
            "f:annotations": {f"f:{name}": {} for name in annotations},
            **({"f:ownerReferences": {'k:{"uid":"x"}': {}}} if owners else {}),
        },
        "f:data": {f"f:{name}": {} for name in data},
    }
    body: JSONObject = {
        "metadata": {
            "name": wanted.spec.secret_name,
            "namespace": "here",
            "labels": {**labels},
            "annotations": {**annotations},
            "ownerReferences": [to_json(owner) for owner in owners],
            "managedFields": [{"manager": manager, "operation": "Apply", "fieldsV1": owned}],
        },
        "type": "kubernetes.io/tls",
        "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
    }
    return secret_facts(TARGET_SECRET.read(msgspec.json.encode(body)))


def _over(values: Any, changes: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**values, **changes}.items() if value is not None}
