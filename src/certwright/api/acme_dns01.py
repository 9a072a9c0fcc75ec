"""DNS-01 solver configuration: one block a provider; fields in the order that Challenge names are hashed in."""

from __future__ import annotations

from typing import Annotated, Literal

from certwright.api.meta import ApiStruct, SecretKeySelector, doc

CnameStrategy = Literal["None", "Follow"]
AzureEnvironment = Literal["AzurePublicCloud", "AzureChinaCloud", "AzureGermanCloud", "AzureUSGovernmentCloud"]
AzureZoneType = Literal["AzurePublicZone", "AzurePrivateZone"]
TransportProtocol = Literal["TCP", "UDP"]


class ServiceAccountRef(ApiStruct, frozen=True, kw_only=True):
    """Names a service account for which a token is asked."""

    name: Annotated[str, doc("Name of the service account.")]
    audiences: Annotated[tuple[str, ...], doc("Audiences of the token, beside the default ones.")] = ()


class Akamai(ApiStruct, frozen=True, kw_only=True):
    """Akamai Edge DNS."""

    service_consumer_domain: Annotated[str, doc("Host of the EdgeGrid API client.")]
    client_token_secret_ref: Annotated[SecretKeySelector, doc("Client token.")]
    client_secret_secret_ref: Annotated[SecretKeySelector, doc("Client secret.")]
    access_token_secret_ref: Annotated[SecretKeySelector, doc("Access token.")]


class CloudDNS(ApiStruct, frozen=True, kw_only=True):
    """Google Cloud DNS."""

    service_account_secret_ref: Annotated[
        SecretKeySelector | None, doc("Service account key file; ambient credentials if left out.")
    ] = None
    project: Annotated[str, doc("Project that holds the zone.")]
    hosted_zone_name: Annotated[str, doc("Managed zone to use; found by DNS name if left out.")] = ""


class Cloudflare(ApiStruct, frozen=True, kw_only=True):
    """Cloudflare."""

    email: Annotated[str, doc("Address of the account; needed with an API key only.")] = ""
    api_key_secret_ref: Annotated[
        SecretKeySelector | None, doc("Global API key; prefer a token, which can be limited to one zone.")
    ] = None
    api_token_secret_ref: Annotated[SecretKeySelector | None, doc("API token that may edit the zone.")] = None


class KubernetesAuth(ApiStruct, frozen=True, kw_only=True):
    """Sign in with a service account token."""

    service_account_ref: Annotated[ServiceAccountRef, doc("The service account; we must be allowed to ask its token.")]


class Route53Auth(ApiStruct, frozen=True, kw_only=True):
    """How to sign in to AWS."""

    kubernetes: Annotated[KubernetesAuth, doc("Exchange a service account token for the role (web identity).")]


class Route53(ApiStruct, frozen=True, kw_only=True):
    """Amazon Route 53."""

    auth: Annotated[Route53Auth | None, doc("How to sign in, where neither keys nor ambient credentials serve.")] = None
    access_key_id: Annotated[str, doc("Access key; excludes accessKeyIDSecretRef.")] = ""
    access_key_id_secret_ref: Annotated[
        SecretKeySelector | None, doc("Access key from a Secret; excludes accessKeyID.")
    ] = None
    secret_access_key_secret_ref: Annotated[
        SecretKeySelector | None, doc("Secret access key; ambient credentials if left out.")
    ] = None
    role: Annotated[str, doc("ARN of a role to assume.")] = ""
    hosted_zone_id: Annotated[str, doc("Zone to use; found by name if left out.")] = ""
    region: Annotated[str, doc("AWS region.")] = ""


class AzureManagedIdentity(ApiStruct, frozen=True, kw_only=True):
    """Chooses an identity of the workload or machine."""

    client_id: Annotated[str, doc("Client id of the identity; excludes resourceID.")] = ""
    resource_id: Annotated[str, doc("Resource id of the identity; excludes clientID.")] = ""
    tenant_id: Annotated[str, doc("Tenant of the identity.")] = ""


class AzureDNS(ApiStruct, frozen=True, kw_only=True):
    """Azure DNS."""

    client_id: Annotated[str, doc("Service principal; with clientSecretSecretRef and tenantID.")] = ""
    client_secret_secret_ref: Annotated[SecretKeySelector | None, doc("Secret of the service principal.")] = None
    subscription_id: Annotated[str, doc("Subscription that holds the zone.")]
    tenant_id: Annotated[str, doc("Tenant of the service principal.")] = ""
    resource_group_name: Annotated[str, doc("Resource group that holds the zone.")]
    hosted_zone_name: Annotated[str, doc("Name of the DNS zone; found by DNS if left out.")] = ""
    environment: Annotated[AzureEnvironment | None, doc("Azure cloud; AzurePublicCloud if left out.")] = None
    managed_identity: Annotated[
        AzureManagedIdentity | None, doc("Managed or workload identity; excludes the service principal.")
    ] = None
    zone_type: Annotated[AzureZoneType | None, doc("Public (default) or private zone.")] = None


class DigitalOcean(ApiStruct, frozen=True, kw_only=True):
    """DigitalOcean."""

    token_secret_ref: Annotated[SecretKeySelector, doc("API token.")]


class AcmeDNS(ApiStruct, frozen=True, kw_only=True):
    """A server of the acme-dns project."""

    host: Annotated[str, doc("URL of the acme-dns server.")]
    account_secret_ref: Annotated[SecretKeySelector, doc("Accounts as JSON, by domain.")]


class RFC2136(ApiStruct, frozen=True, kw_only=True):
    """Dynamic DNS update (RFC 2136)."""

    nameserver: Annotated[str, doc("Address of the primary server, with or without a port (53).")]
    tsig_secret_secret_ref: Annotated[SecretKeySelector | None, doc("TSIG key; needs tsigKeyName.")] = None
    tsig_key_name: Annotated[str, doc("Name of the TSIG key; needs tsigSecretSecretRef.")] = ""
    tsig_algorithm: Annotated[str, doc("HMACMD5 (default), HMACSHA1, HMACSHA256 or HMACSHA512; needs a TSIG key.")] = ""
    protocol: Annotated[TransportProtocol | None, doc("UDP (default) or TCP.")] = None


class Webhook(ApiStruct, frozen=True, kw_only=True):
    """A solver outside, or one of the providers of dns01.certwright.io."""

    group_name: Annotated[str, doc("API group of the solver; dns01.certwright.io for those built in.")]
    solver_name: Annotated[str, doc("Name of the solver in that group.")]
    config: Annotated[object, doc("Settings of the solver; never put secret values here, name a Secret instead.")] = (
        None
    )


class DNS01(ApiStruct, frozen=True, kw_only=True):
    """Solve by a TXT record; exactly one provider."""

    cname_strategy: Annotated[
        CnameStrategy | None, doc("Follow: write the record where a CNAME of the challenge name leads.")
    ] = None
    nameservers: Annotated[
        tuple[str, ...], doc("Recursive servers (host:port or https URL) for this solver's checks.")
    ] = ()
    akamai: Annotated[Akamai | None, doc("Akamai Edge DNS.")] = None
    cloud_dns: Annotated[CloudDNS | None, doc("Google Cloud DNS.")] = None
    cloudflare: Annotated[Cloudflare | None, doc("Cloudflare.")] = None
    route53: Annotated[Route53 | None, doc("Amazon Route 53.")] = None
    azure_dns: Annotated[AzureDNS | None, doc("Azure DNS.")] = None
    digitalocean: Annotated[DigitalOcean | None, doc("DigitalOcean.")] = None
    acme_dns: Annotated[AcmeDNS | None, doc("A server of the acme-dns project.")] = None
    rfc2136: Annotated[RFC2136 | None, doc("Dynamic DNS update (RFC 2136), e.g. BIND.")] = None
    webhook: Annotated[Webhook | None, doc("A solver outside, or a provider of dns01.certwright.io.")] = None
