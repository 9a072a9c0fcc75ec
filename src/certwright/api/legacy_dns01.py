"""certmanager.k8s.io/v1alpha1: references and DNS-01 provider blocks, spelled as in 2018."""

from __future__ import annotations

from certwright.api.acme_dns01 import AzureEnvironment, CnameStrategy
from certwright.api.legacy_decoding import Presence, Tolerant


class LocalObjectReference(Tolerant, frozen=True, kw_only=True):
    """Names an object; all empty means none."""

    name: str = ""


class SecretKeySelector(Tolerant, frozen=True, kw_only=True):
    """Names a Secret and a key in it; all empty means none."""

    name: str = ""
    key: str = ""


class CloudDNS(Presence, frozen=True, kw_only=True):
    """Google Cloud DNS."""

    service_account_secret_ref: SecretKeySelector | None = None
    project: str = ""


class Route53(Presence, frozen=True, kw_only=True):
    """Amazon Route 53."""

    access_key_id: str = ""
    secret_access_key_secret_ref: SecretKeySelector | None = None
    role: str = ""
    hosted_zone_id: str = ""
    region: str = ""


class Cloudflare(Presence, frozen=True, kw_only=True):
    """Cloudflare, by the global API key."""

    email: str = ""
    api_key_secret_ref: SecretKeySelector | None = None


class Akamai(Presence, frozen=True, kw_only=True):
    """Akamai."""

    service_consumer_domain: str = ""
    client_token_secret_ref: SecretKeySelector | None = None
    client_secret_secret_ref: SecretKeySelector | None = None
    access_token_secret_ref: SecretKeySelector | None = None


class RFC2136(Presence, frozen=True, kw_only=True):
    """Dynamic DNS update; the algorithm in any case."""

    nameserver: str = ""
    tsig_secret_secret_ref: SecretKeySelector | None = None
    tsig_key_name: str = ""
    tsig_algorithm: str = ""


class AcmeDNS(Presence, frozen=True, kw_only=True):
    """A server of the acme-dns project."""

    host: str = ""
    account_secret_ref: SecretKeySelector | None = None


class AzureDNS(Presence, frozen=True, kw_only=True):
    """Azure DNS, by a service principal."""

    client_id: str = ""
    client_secret_secret_ref: SecretKeySelector | None = None
    subscription_id: str = ""
    tenant_id: str = ""
    resource_group_name: str = ""
    hosted_zone_name: str = ""
    environment: AzureEnvironment | None = None


class DigitalOcean(Presence, frozen=True, kw_only=True):
    """DigitalOcean."""

    token_secret_ref: SecretKeySelector | None = None


class Webhook(Presence, frozen=True, kw_only=True):
    """A solver outside."""

    group_name: str = ""
    solver_name: str = ""
    config: object = None


class DNS01(Presence, frozen=True, kw_only=True):
    """The provider blocks of solvers; exactly one."""

    cname_strategy: CnameStrategy | None = None
    akamai: Akamai | None = None
    clouddns: CloudDNS | None = None
    cloudflare: Cloudflare | None = None
    route53: Route53 | None = None
    azuredns: AzureDNS | None = None
    digitalocean: DigitalOcean | None = None
    acmedns: AcmeDNS | None = None
    rfc2136: RFC2136 | None = None
    webhook: Webhook | None = None


class DNS01Provider(DNS01, frozen=True, kw_only=True):
    """A provider that Certificates choose by name."""

    name: str = ""
