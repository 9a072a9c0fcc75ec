"""Whether an ACME solver can be: problems as sentences that name the field."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from certwright.api import acme_dns01 as dns01
from certwright.api import acme_v1 as acme
from certwright.api.meta import SecretKeySelector, parse_duration
from certwright.rules.validation import FORBIDDEN, REQUIRED, UNSUPPORTED, Problem, is_object_name

TSIG_ALGORITHMS = ("HMACMD5", "HMACSHA1", "HMACSHA256", "HMACSHA512")
_SERVICE_TYPES = ("", "ClusterIP", "NodePort")
_NAMESERVER = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:\s]+))(?::(?P<port>[0-9]{0,5}))?")


def missing(field: str, value: str, what: str) -> Iterator[Problem]:
    """A problem where the value is empty."""
    if not value:
        yield Problem(field, f"It is missing; give {what}.", REQUIRED)


def secret_key_problems(field: str, ref: SecretKeySelector | None) -> Iterator[Problem]:
    """Problems of a reference that must name a Secret and a key in it."""
    yield from missing(f"{field}.name", ref.name if ref else "", "the name of the Secret")
    yield from missing(f"{field}.key", ref.key if ref else "", "the key in the Secret's data")


def solver_problems(solver: acme.Solver, path: str) -> Iterator[Problem]:
    """Everything that is wrong with one solver."""
    if (solver.http01 is None) == (solver.dns01 is None):
        text = "A solver is of one type: set either http01 or dns01."
        yield Problem(path, text, REQUIRED if solver.http01 is None else FORBIDDEN)
    if solver.http01 is not None:
        yield from _http01(solver.http01, f"{path}.http01")
    if solver.dns01 is not None:
        yield from _dns01(solver.dns01, f"{path}.dns01")
    if solver.wait_instead_of_self_check is not None:
        yield from _wait(f"{path}.waitInsteadOfSelfCheck", solver.wait_instead_of_self_check)


def _wait(field: str, text: str) -> Iterator[Problem]:
    try:
        wait = parse_duration(text)
    except ValueError:
        yield Problem(field, f"The duration {text[:80]!r} cannot be read; write it as 60s.")
        return
    if wait < timedelta(0):
        yield Problem(field, "It may not be negative; give a duration such as 60s, or 0s.")


def _http01(block: acme.HTTP01, path: str) -> Iterator[Problem]:
    if (block.ingress is None) == (block.gateway_http_route is None):
        text = "http01 works in one way: set either ingress or gatewayHTTPRoute."
        yield Problem(path, text, REQUIRED if block.ingress is None else FORBIDDEN)
    if block.ingress is not None:
        yield from _ingress(block.ingress, f"{path}.ingress")
    if block.gateway_http_route is not None:
        yield from _gateway(block.gateway_http_route, f"{path}.gatewayHTTPRoute")


def _ingress(block: acme.HTTP01Ingress, path: str) -> Iterator[Problem]:
    if sum((block.class_ is not None, block.ingress_class_name is not None, block.name != "")) > 1:
        text = "class, ingressClassName and name exclude each other; use ingressClassName, or name alone."
        yield Problem(path, text, FORBIDDEN)
    if block.ingress_class_name is not None and not is_object_name(block.ingress_class_name):
        text = "This cannot name an IngressClass; use lower case letters, digits, - and ., at most 253 characters."
        yield Problem(f"{path}.ingressClassName", text)
    yield from _service_type(block.service_type, path)


def _gateway(block: acme.HTTP01GatewayHTTPRoute, path: str) -> Iterator[Problem]:
    yield from _service_type(block.service_type, path)
    for at, ref in enumerate(block.parent_refs):
        yield from missing(f"{path}.parentRefs[{at}].name", ref.name, "the name of the Gateway")
        if ref.kind == "":
            yield Problem(f"{path}.parentRefs[{at}].kind", "It is empty; leave it out for a Gateway.", REQUIRED)


def _service_type(word: str, path: str) -> Iterator[Problem]:
    if word not in _SERVICE_TYPES:
        text = f"{word[:80]!r} does not serve here; use ClusterIP or NodePort, or leave it out."
        yield Problem(f"{path}.serviceType", text, UNSUPPORTED)


def _dns01(block: dns01.DNS01, path: str) -> Iterator[Problem]:
    found = [(name, each) for name, field in _FIELDS.items() if (each := getattr(block, field)) is not None]
    text = f"dns01 has one provider: set exactly one of {', '.join(_FIELDS)}."
    if not found:
        yield Problem(path, text, REQUIRED)
    for name, _ in found[1:]:
        yield Problem(f"{path}.{name}", text, FORBIDDEN)
    for name, each in found[:1]:
        yield from _PROVIDERS[name](each, f"{path}.{name}")


def _akamai(block: dns01.Akamai, path: str) -> Iterator[Problem]:
    yield from secret_key_problems(f"{path}.accessTokenSecretRef", block.access_token_secret_ref)
    yield from secret_key_problems(f"{path}.clientSecretSecretRef", block.client_secret_secret_ref)
    yield from secret_key_problems(f"{path}.clientTokenSecretRef", block.client_token_secret_ref)
    yield from missing(f"{path}.serviceConsumerDomain", block.service_consumer_domain, "the host of the API client")


def _cloud_dns(block: dns01.CloudDNS, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.project", block.project, "the project that holds the zone")
    if block.service_account_secret_ref is not None:
        yield from secret_key_problems(f"{path}.serviceAccountSecretRef", block.service_account_secret_ref)


def _cloudflare(block: dns01.Cloudflare, path: str) -> Iterator[Problem]:
    key, token = block.api_key_secret_ref, block.api_token_secret_ref
    if (key is None) == (token is None):
        text = "Cloudflare needs one credential: set either apiTokenSecretRef (preferred) or apiKeySecretRef."
        yield Problem(path, text, REQUIRED if key is None else FORBIDDEN)
    if key is not None:
        yield from secret_key_problems(f"{path}.apiKeySecretRef", key)
        yield from missing(f"{path}.email", block.email, "the address of the account, which an API key needs")
    if token is not None:
        yield from secret_key_problems(f"{path}.apiTokenSecretRef", token)


def _route53(block: dns01.Route53, path: str) -> Iterator[Problem]:
    ref = block.access_key_id_secret_ref
    if ref is not None:
        yield from secret_key_problems(f"{path}.accessKeyIDSecretRef", ref)
        if block.access_key_id:
            yield Problem(f"{path}.accessKeyID", "It excludes accessKeyIDSecretRef; use one of them.", FORBIDDEN)


def _azure_dns(block: dns01.AzureDNS, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.subscriptionID", block.subscription_id, "the subscription that holds the zone")
    yield from missing(f"{path}.resourceGroupName", block.resource_group_name, "the resource group of the zone")
    secret, identity = block.client_secret_secret_ref, block.managed_identity
    if block.client_id or block.tenant_id or secret is not None:
        together = "clientID, clientSecretSecretRef and tenantID, which go together"
        yield from missing(f"{path}.clientID", block.client_id, together)
        yield from missing(f"{path}.tenantID", block.tenant_id, together)
        yield from secret_key_problems(f"{path}.clientSecretSecretRef", secret)
        if identity is not None:
            text = "It excludes clientID, clientSecretSecretRef and tenantID; sign in with one of them."
            yield Problem(f"{path}.managedIdentity", text, FORBIDDEN)
    elif identity is not None and identity.client_id and identity.resource_id:
        text = "clientID excludes resourceID; name the identity in one way."
        yield Problem(f"{path}.managedIdentity", text, FORBIDDEN)


def _digitalocean(block: dns01.DigitalOcean, path: str) -> Iterator[Problem]:
    yield from secret_key_problems(f"{path}.tokenSecretRef", block.token_secret_ref)


def _acme_dns(block: dns01.AcmeDNS, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.host", block.host, "the URL of the acme-dns server")
    yield from secret_key_problems(f"{path}.accountSecretRef", block.account_secret_ref)


def _rfc2136(block: dns01.RFC2136, path: str) -> Iterator[Problem]:
    if not is_nameserver(block.nameserver):
        text = f"{block.nameserver[:80]!r} is no nameserver; write host, host:port, or [IPv6 address]:port."
        yield Problem(f"{path}.nameserver", text)
    if block.tsig_algorithm and block.tsig_algorithm.upper() not in TSIG_ALGORITHMS:
        text = f"{block.tsig_algorithm[:80]!r} is not known; use one of {', '.join(TSIG_ALGORITHMS)}."
        yield Problem(f"{path}.tsigAlgorithm", text, UNSUPPORTED)
    secret = block.tsig_secret_secret_ref
    if block.tsig_key_name:
        yield from secret_key_problems(f"{path}.tsigSecretSecretRef", secret)
    # Go clients write an unset reference with an empty name.
    elif secret is not None and secret.name and secret.key:
        yield from missing(f"{path}.tsigKeyName", block.tsig_key_name, "the name of the TSIG key")


def is_nameserver(text: str) -> bool:
    """Whether it is `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address."""
    text = text.strip()
    if _is_ipv6(text):
        return True
    found = _NAMESERVER.fullmatch(text)
    if found is None or (found["v6"] is not None and not _is_ipv6(found["v6"])):
        return False
    return not found["port"] or 0 < int(found["port"]) < 65536


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _webhook(block: dns01.Webhook, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.solverName", block.solver_name, "the name of the solver in the group")


_FIELDS = {
    "akamai": "akamai",
    "azureDNS": "azure_dns",
    "cloudDNS": "cloud_dns",
    "cloudflare": "cloudflare",
    "route53": "route53",
    "acmeDNS": "acme_dns",
    "digitalocean": "digitalocean",
    "rfc2136": "rfc2136",
    "webhook": "webhook",
}
_PROVIDERS: Mapping[str, Callable[[Any, str], Iterator[Problem]]] = {  # each takes the block of its own name
    "akamai": _akamai,
    "azureDNS": _azure_dns,
    "cloudDNS": _cloud_dns,
    "cloudflare": _cloudflare,
    "route53": _route53,
    "acmeDNS": _acme_dns,
    "digitalocean": _digitalocean,
    "rfc2136": _rfc2136,
    "webhook": _webhook,
}
