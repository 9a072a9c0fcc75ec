"""CEL rules of Orders, Challenges and the ACME part of issuers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from certwright.api import acme_dns01 as dns01
from certwright.api import acme_v1 as acme
from certwright.api.cel import Rule, given, not_empty, one_of, value_or


def same_once_set(field: str) -> Rule:
    kept = f"has(self.{field}) && self.{field} == oldSelf.{field}"
    return Rule(
        f"!has(oldSelf.{field}) || size(oldSelf.{field}) == 0 || ({kept})",
        f"{field} cannot change once it is set: it belongs to the order at the CA",
    )


_ORDER = (
    Rule(
        "has(self.status) || !has(oldSelf.status) || !has(oldSelf.status.url) || oldSelf.status.url == ''",
        "status cannot be removed once it holds the order's url: delete the Order instead",
    ),
)
_ORDER_SPEC = (
    Rule(
        "size(oldSelf.request) == 0 || self.request == oldSelf.request",
        "request cannot change once it is set: delete the Order, a new one is made",
        ".request",
    ),
)
_ORDER_STATUS = (
    same_once_set("url"),
    same_once_set("finalizeURL"),
    same_once_set("certificate"),
    Rule(
        "!has(oldSelf.authorizations) || size(oldSelf.authorizations) == 0 || (has(self.authorizations) "
        "&& self.authorizations.map(a, a.url) == oldSelf.authorizations.map(a, a.url))",
        "authorizations cannot change once they are set: they belong to the order at the CA",
    ),
)
_CHALLENGE_SPEC = (
    Rule("self == oldSelf", "spec cannot change: delete the Challenge, its Order makes a new one if one is needed"),
)
_ACME = (
    not_empty("server", "the URL of the CA's directory"),
    Rule(
        "self.privateKeySecretRef.name != ''",
        "privateKeySecretRef.name is empty: name the Secret for the account key",
        ".privateKeySecretRef.name",
        "FieldValueRequired",
    ),
    Rule(
        f"!{given('caBundle')[0]} || !{value_or('skipTLSVerify', 'false')}",
        "caBundle excludes skipTLSVerify: use caBundle alone",
        ".skipTLSVerify",
    ),
)
_EXTERNAL_ACCOUNT = (
    not_empty("keyID", "the key id that the CA gave"),
    Rule(
        "self.keySecretRef.name != '' && has(self.keySecretRef.key) && self.keySecretRef.key != ''",
        "keySecretRef needs name and key: say where the MAC key is",
        ".keySecretRef",
        "FieldValueRequired",
    ),
)
_SOLVER = (Rule("has(self.http01) != has(self.dns01)", "a solver is of one type: set either http01 or dns01"),)
_HTTP01 = (
    Rule(
        "has(self.ingress) != has(self.gatewayHTTPRoute)",
        "http01 works in one way: set either ingress or gatewayHTTPRoute",
    ),
)
_INGRESS = (
    Rule(
        "!(has(self.class) && has(self.ingressClassName))",
        "class and ingressClassName exclude each other: use ingressClassName",
    ),
    Rule(
        "!has(self.name) || self.name == '' || !(has(self.class) || has(self.ingressClassName))",
        "name excludes class and ingressClassName: the named Ingress has its own",
    ),
)
_DNS01 = (
    Rule(
        one_of(
            "akamai", "cloudDNS", "cloudflare", "route53", "azureDNS", "digitalocean", "acmeDNS", "rfc2136", "webhook"
        ),
        "dns01 has one provider: set exactly one of akamai, cloudDNS, cloudflare, route53, azureDNS, digitalocean, "
        "acmeDNS, rfc2136, webhook",
    ),
)
_CLOUDFLARE = (
    Rule(
        "has(self.apiKeySecretRef) != has(self.apiTokenSecretRef)",
        "cloudflare needs one credential: set either apiTokenSecretRef (preferred) or apiKeySecretRef",
    ),
    Rule("!has(self.apiKeySecretRef) || has(self.email)", "apiKeySecretRef needs email: give the account's address"),
)
_ROUTE53 = (
    Rule(
        "!has(self.accessKeyIDSecretRef) || !has(self.accessKeyID) || self.accessKeyID == ''",
        "accessKeyID excludes accessKeyIDSecretRef: use one of them",
    ),
)
_AZURE = (
    Rule(
        "!has(self.managedIdentity) || !has(self.clientSecretSecretRef)",
        "managedIdentity excludes clientSecretSecretRef: sign in with one of them",
    ),
    Rule(
        "!has(self.clientSecretSecretRef) || (has(self.clientID) && has(self.tenantID))",
        "clientSecretSecretRef needs clientID and tenantID: give all three",
    ),
)
_AZURE_IDENTITY = (
    Rule(
        "!has(self.clientID) || !has(self.resourceID) || self.clientID == '' || self.resourceID == ''",
        "clientID excludes resourceID: name the identity in one way",
    ),
)
_RFC2136 = (
    Rule(
        "!has(self.tsigKeyName) || self.tsigKeyName == '' || has(self.tsigSecretSecretRef)",
        "tsigKeyName needs tsigSecretSecretRef: say where the key is",
    ),
)
_WEBHOOK = (not_empty("solverName", "the name of the solver in the group"),)

RULES: Mapping[type[Struct], tuple[Rule, ...]] = {
    acme.Order: _ORDER,
    acme.OrderSpec: _ORDER_SPEC,
    acme.OrderStatus: _ORDER_STATUS,
    acme.ChallengeSpec: _CHALLENGE_SPEC,
    acme.AcmeIssuer: _ACME,
    acme.ExternalAccountBinding: _EXTERNAL_ACCOUNT,
    acme.Solver: _SOLVER,
    acme.HTTP01: _HTTP01,
    acme.HTTP01Ingress: _INGRESS,
    dns01.DNS01: _DNS01,
    dns01.Cloudflare: _CLOUDFLARE,
    dns01.Route53: _ROUTE53,
    dns01.AzureDNS: _AZURE,
    dns01.AzureManagedIdentity: _AZURE_IDENTITY,
    dns01.RFC2136: _RFC2136,
    dns01.Webhook: _WEBHOOK,
}
