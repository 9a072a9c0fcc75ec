"""What is wrong with a Vault issuer's spec whatever Vault says: nothing helps but an edit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from certwright.api.issuer_types import (
    VaultAppRole,
    VaultAuth,
    VaultAWS,
    VaultClientCertificate,
    VaultIssuer,
    VaultKubernetes,
)
from certwright.api.meta import SecretKeySelector

AUTH = "spec.vault.auth"
_REGION = re.compile(r"[a-z0-9-]{0,40}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


def problems(vault: VaultIssuer) -> Iterator[str]:
    """Sentences, the most basic first."""
    if not vault.server or not vault.path:
        yield "Vault server and path are required fields; set spec.vault.server and spec.vault.path"
    elif not _is_http(vault.server):
        yield "spec.vault.server is no URL of Vault; write one such as https://vault.example.com:8200"
    yield from _paths(vault)
    if not _HEADER_VALUE.fullmatch(vault.namespace):
        yield "spec.vault.namespace holds characters that no namespace of Vault has; write its path"
    if vault.ca_bundle and vault.ca_bundle_secret_ref is not None:
        yield "spec.vault has both caBundle and caBundleSecretRef; keep one of them"
    if (vault.client_cert_secret_ref is None) != (vault.client_key_secret_ref is None):
        yield "clientCertSecretRef and clientKeySecretRef of spec.vault go together; set both or none"
    methods = [method for name in vault.auth.__struct_fields__ if (method := getattr(vault.auth, name)) is not None]
    if not methods:
        yield f"Vault tokenSecretRef, appRole, clientCertificate, kubernetes or aws is required; set one in {AUTH}"
    elif len(methods) > 1:
        yield f"Multiple auth methods cannot be set on the same Vault issuer; keep one in {AUTH}"
    else:
        yield from _of_method(methods[0], vault)


def _is_http(server: str) -> bool:
    try:
        url = urlsplit(server)
        return url.scheme in {"http", "https"} and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False


def _paths(vault: VaultIssuer) -> Iterator[str]:
    for name, path in _named_paths(vault.auth, vault.path):
        if any(segment in {".", ".."} for segment in path.split("/")):
            yield f"{name} may not hold the segments . and ..; give the path itself"
        elif not path.isprintable():
            yield f"{name} holds characters that no path of Vault has; give the path itself"


def _named_paths(auth: VaultAuth, path: str) -> Iterator[tuple[str, str]]:
    yield "spec.vault.path", path
    if auth.app_role is not None:
        yield f"{AUTH}.appRole.path", auth.app_role.path
    for name, method in (("clientCertificate", auth.client_certificate), ("kubernetes", auth.kubernetes)):
        if method is not None:
            yield f"{AUTH}.{name}.mountPath", method.mount_path
    if auth.aws is not None:
        yield f"{AUTH}.aws.mountPath", auth.aws.mount_path


def _of_method(method: object, vault: VaultIssuer) -> Iterator[str]:
    match method:
        case SecretKeySelector(name=""):
            yield f"Vault Token auth requires {AUTH}.tokenSecretRef.name"
        case VaultAppRole() as role:
            yield from _of_app_role(role)
        case VaultClientCertificate(secret_name="") if vault.client_cert_secret_ref is None:
            yield f"Vault client certificate auth requires a certificate; set {AUTH}.clientCertificate.secretName"
        case VaultKubernetes() as kubernetes:
            yield from _of_kubernetes(kubernetes)
        case VaultAWS() as aws:
            yield from _of_aws(aws)


def _of_app_role(role: VaultAppRole) -> Iterator[str]:
    if not role.role_id or not role.secret_ref.name:
        yield f"Vault AppRole auth requires both roleId and secretRef.name in {AUTH}.appRole"
    elif not role.secret_ref.key:
        yield f"Vault AppRole auth requires {AUTH}.appRole.secretRef.key"


def _of_kubernetes(kubernetes: VaultKubernetes) -> Iterator[str]:
    stored = kubernetes.secret_ref is not None and bool(kubernetes.secret_ref.name)
    asked = kubernetes.service_account_ref is not None
    if not kubernetes.role:
        yield f"Vault Kubernetes auth requires a role; set {AUTH}.kubernetes.role"
    if not stored and not asked:
        yield f"Vault Kubernetes auth requires serviceAccountRef or secretRef in {AUTH}.kubernetes"
    if stored and asked:
        yield f"Vault Kubernetes auth cannot use both secretRef and serviceAccountRef; keep one in {AUTH}.kubernetes"


def _of_aws(aws: VaultAWS) -> Iterator[str]:
    if not aws.role:
        yield f"Vault AWS auth requires a role; set {AUTH}.aws.role"
    if not _REGION.fullmatch(aws.region):
        yield f"{AUTH}.aws.region is no region of AWS; write one such as eu-west-1"
    if not _HEADER_VALUE.fullmatch(aws.vault_header_value):
        yield f"{AUTH}.aws.vaultHeaderValue holds characters that no header may have"
    if (aws.service_account_ref is None) != (not aws.iam_role_arn):
        yield f"serviceAccountRef and iamRoleArn of {AUTH}.aws go together; set both or none"
