"""What of an object another controller relies on: names, marks, owners, managers of fields, conditions, data keys."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.integration.takeover.golden import Plain

# These differ from one issuance, or one server, to the next: only that they are there is compared.
OF_THE_MOMENT = (
    ".lastTransitionTime",
    "status.certificate",
    "status.ca",
    "status.notBefore",
    "status.notAfter",
    "status.renewalTime",
    "status.failureTime",
    "spec.request",
    "cert-manager.io/private-key-secret-name",
)
# Filled in by the API server or by an admission webhook for whoever asks.
OF_THE_SERVER = ("spec.username", "spec.uid", "spec.groups", "spec.extra")


def shape(each: Plain) -> Plain:
    """Field by field, values of the moment left out."""
    metadata = each["metadata"]
    status = dict(each.get("status") or {})
    conditions = status.pop("conditions", [])
    fields = _flat({name: metadata.get(name) or {} for name in ("labels", "annotations")}, "metadata")
    fields |= _flat({condition["type"]: condition for condition in conditions}, "conditions")
    fields |= _flat(status, "status")
    fields |= {} if each["kind"] == "Secret" else _flat(each.get("spec", {}), "spec")
    fields["owners"] = [_without_uid(owner) for owner in metadata.get("ownerReferences", [])]
    fields["finalizers"] = metadata.get("finalizers", [])
    fields["type"] = each.get("type")
    fields["data"] = sorted(each.get("data", {}))
    return {
        name: "(of the moment)" if name.endswith(OF_THE_MOMENT) else value
        for name, value in fields.items()
        if not name.startswith(OF_THE_SERVER) and value not in ({}, [], "", None)
    }


def managers(each: Plain) -> set[tuple[str, str, str]]:
    """Manager, operation and subresource of the fields; without what made the object in the test."""
    entries = each["metadata"].get("managedFields", [])
    found = {(entry["manager"], entry["operation"], entry.get("subresource", "")) for entry in entries}
    return {entry for entry in found if entry[0].startswith("cert-manager")}


def leaf_shape(secret: Plain) -> Plain:
    """What kind of certificate lies in a Secret: everything but keys, dates, serial numbers and signatures."""
    found = x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))
    of_keys = {"subjectKeyIdentifier", "authorityKeyIdentifier"}
    named = {each.oid.dotted_string: each for each in found.extensions}
    return {
        "subject": found.subject.rfc4514_string(),
        "issuer": found.issuer.rfc4514_string(),
        "signature": found.signature_algorithm_oid.dotted_string,
        "life": found.not_valid_after_utc - found.not_valid_before_utc,
        "critical": {oid for oid, each in named.items() if each.critical},
        "extensions": {
            oid: None if each.oid._name in of_keys else each.value.public_bytes() for oid, each in named.items()
        },
        "keys": sorted(secret["data"]),
        "headers": [base64.b64decode(secret["data"][name]).split(b"\n")[0] for name in ("tls.key", "tls.crt")],
    }


def belong_together(found: dict[str, Plain], secret_name: str) -> None:
    """Key, certificate and request fit: cert-manager compares them before it leaves a Secret alone."""
    secret = found[f"Secret/{secret_name}"]
    name = secret["metadata"]["annotations"]["cert-manager.io/certificate-name"]
    certificate = found[f"Certificate/{name}"]
    request = found[f"CertificateRequest/{name}-{certificate['status']['revision']}"]
    assert request["metadata"]["annotations"]["cert-manager.io/certificate-revision"] == (
        str(certificate["status"]["revision"])
    )
    assert request["status"]["certificate"] == secret["data"]["tls.crt"]
    assert request["status"].get("ca") == secret["data"].get("ca.crt")
    key = serialization.load_pem_private_key(_decoded(secret, "tls.key"), None).public_key()
    asked = x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"])).public_key()
    assert key == x509.load_pem_x509_certificate(_decoded(secret, "tls.crt")).public_key() == asked


def private_key(secret: Plain) -> bytes:
    """The key in a Secret, whatever its encoding."""
    key = serialization.load_pem_private_key(_decoded(secret, "tls.key"), None)
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, encryption)


def _decoded(secret: Plain, name: str) -> bytes:
    return base64.b64decode(secret["data"][name])


def _flat(value: Any, path: str) -> Plain:
    if not isinstance(value, dict):
        return {path: value}
    found: Plain = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{path}.{name}")
    return found


def _without_uid(owner: Plain) -> Plain:
    return {name: value for name, value in owner.items() if name != "uid"}
