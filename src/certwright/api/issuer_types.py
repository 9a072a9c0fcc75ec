"""The kinds of issuer beside ACME: CA, self-signed, Vault and Venafi."""

from __future__ import annotations

from typing import Annotated

from certwright.api.acme_dns01 import ServiceAccountRef
from certwright.api.meta import ApiStruct, LocalObjectReference, SecretKeySelector, doc


class CAIssuer(ApiStruct, frozen=True, kw_only=True):
    """Signs with a key pair in a Secret."""

    secret_name: Annotated[str, doc("Secret with tls.crt and tls.key of the CA, and ca.crt to add to the chain.")]
    crl_distribution_points: Annotated[tuple[str, ...], doc("CRL URLs to put into certificates.")] = ()
    ocsp_servers: Annotated[tuple[str, ...], doc("OCSP URLs to put into certificates.")] = ()
    issuing_certificate_urls: Annotated[
        tuple[str, ...], doc("URLs of the CA certificate to put into certificates.")
    ] = ()


class SelfSignedIssuer(ApiStruct, frozen=True, kw_only=True):
    """Signs each certificate with its own key."""

    crl_distribution_points: Annotated[tuple[str, ...], doc("CRL URLs to put into certificates.")] = ()


class VaultAppRole(ApiStruct, frozen=True, kw_only=True):
    """Vault's AppRole method."""

    path: Annotated[str, doc("Mount of the method, e.g. approle.")]
    role_id: Annotated[str, doc("Role id.")]
    secret_ref: Annotated[SecretKeySelector, doc("Secret id.")]


class VaultClientCertificate(ApiStruct, frozen=True, kw_only=True):
    """Vault's TLS certificate method."""

    mount_path: Annotated[str, doc("Mount of the method; /v1/auth/cert if left out.")] = ""
    secret_name: Annotated[str, doc("Secret with tls.crt and tls.key.")] = ""
    name: Annotated[str, doc("Certificate role; any that fits if left out.")] = ""


class VaultKubernetes(ApiStruct, frozen=True, kw_only=True):
    """Vault's Kubernetes method."""

    mount_path: Annotated[str, doc("Mount of the method; /v1/auth/kubernetes if left out.")] = ""
    secret_ref: Annotated[
        SecretKeySelector | None, doc("Stored service account token (key token); prefer serviceAccountRef.")
    ] = None
    service_account_ref: Annotated[
        ServiceAccountRef | None, doc("Service account whose token is asked for; we must be allowed to.")
    ] = None
    role: Annotated[str, doc("Vault role to take.")]


class VaultAWS(ApiStruct, frozen=True, kw_only=True):
    """Vault's AWS method."""

    mount_path: Annotated[str, doc("Mount of the method; /v1/auth/aws if left out.")] = ""
    role: Annotated[str, doc("Vault role to take.", minLength=1)]
    region: Annotated[str, doc("AWS region; us-east-1 if left out.")] = ""
    iam_role_arn: Annotated[str, doc("ARN of an IAM role to assume with the service account's token.")] = ""
    service_account_ref: Annotated[
        ServiceAccountRef | None, doc("Service account whose token is exchanged; ambient credentials if left out.")
    ] = None
    vault_header_value: Annotated[str, doc("Value of the server id header, where Vault demands it.")] = ""


class VaultAuth(ApiStruct, frozen=True, kw_only=True):
    """How to sign in to Vault; exactly one method."""

    token_secret_ref: Annotated[SecretKeySelector | None, doc("Vault token (key token).")] = None
    app_role: Annotated[VaultAppRole | None, doc("AppRole.")] = None
    client_certificate: Annotated[VaultClientCertificate | None, doc("TLS client certificate.")] = None
    kubernetes: Annotated[VaultKubernetes | None, doc("Kubernetes service account.")] = None
    aws: Annotated[VaultAWS | None, doc("AWS identity.")] = None


class VaultIssuer(ApiStruct, frozen=True, kw_only=True):
    """Signs through HashiCorp Vault's PKI engine."""

    auth: Annotated[VaultAuth, doc("How to sign in.")]
    server: Annotated[str, doc("URL of Vault.")]
    server_name: Annotated[str, doc("Name to expect in Vault's certificate, if not that of the URL.")] = ""
    path: Annotated[str, doc("Signing path, e.g. pki/sign/my-role.")]
    namespace: Annotated[str, doc("Vault namespace (Enterprise).")] = ""
    ca_bundle: Annotated[bytes, doc("PEM of the CAs to trust for Vault; excludes caBundleSecretRef.")] = b""
    ca_bundle_secret_ref: Annotated[
        SecretKeySelector | None, doc("The same from a Secret (key ca.crt); excludes caBundle.")
    ] = None
    client_cert_secret_ref: Annotated[
        SecretKeySelector | None, doc("Client certificate for Vault's listener (tls.crt); with clientKeySecretRef.")
    ] = None
    client_key_secret_ref: Annotated[
        SecretKeySelector | None, doc("Key of the client certificate (tls.key); with clientCertSecretRef.")
    ] = None


class VenafiTPP(ApiStruct, frozen=True, kw_only=True):
    """Certificate Manager, Self-Hosted (formerly Trust Protection Platform)."""

    url: Annotated[str, doc("URL of its API, e.g. https://tpp.example.com/vedsdk.")]
    credentials_ref: Annotated[LocalObjectReference, doc("Secret with access-token, or username and password.")]
    ca_bundle: Annotated[bytes, doc("PEM of the CAs to trust; excludes caBundleSecretRef.")] = b""
    ca_bundle_secret_ref: Annotated[
        SecretKeySelector | None, doc("The same from a Secret (key ca.crt); excludes caBundle.")
    ] = None


class VenafiCloud(ApiStruct, frozen=True, kw_only=True):
    """Certificate Manager, SaaS."""

    url: Annotated[str, doc("URL of its API; the vendor's if left out.")] = ""
    api_token_secret_ref: Annotated[SecretKeySelector, doc("API key (key api-key).")]


class VenafiNGTS(ApiStruct, frozen=True, kw_only=True):
    """Next-Gen Trust Security."""

    tsg_id: Annotated[str, doc("Tenant service group.")]
    credentials_ref: Annotated[LocalObjectReference, doc("Secret with client-id and client-secret.")]
    url: Annotated[str, doc("URL of its API; the vendor's if left out.")] = ""
    token_endpoint: Annotated[str, doc("URL where tokens are fetched; the vendor's if left out.")] = ""


class VenafiIssuer(ApiStruct, frozen=True, kw_only=True):
    """Signs through CyberArk (Venafi) Certificate Manager; exactly one of tpp, cloud, ngts."""

    zone: Annotated[str, doc("Policy folder or application and template.")]
    tpp: Annotated[VenafiTPP | None, doc("Certificate Manager, Self-Hosted.")] = None
    cloud: Annotated[VenafiCloud | None, doc("Certificate Manager, SaaS.")] = None
    ngts: Annotated[VenafiNGTS | None, doc("Next-Gen Trust Security.")] = None
