"""CEL rules of issuers, their ACME part aside."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api import issuer_types as issuers
from certwright.api.cel import Rule, given, no_empty_items, not_empty, one_of, secret_named

_ISSUER = (
    Rule(
        one_of("acme", "ca", "vault", "selfSigned", "venafi"),
        "an issuer is of one kind: set exactly one of acme, ca, vault, selfSigned, venafi",
    ),
)
_CA = (
    not_empty("secretName", "the Secret that holds the CA's key pair"),
    no_empty_items("crlDistributionPoints"),
    no_empty_items("ocspServers"),
    no_empty_items("issuingCertificateURLs"),
)
_CA_BUNDLE = Rule(
    f"!{given('caBundle')[0]} || !has(self.caBundleSecretRef)",
    "caBundle excludes caBundleSecretRef: use one of them",
    ".caBundleSecretRef",
)
_VAULT = (
    not_empty("server", "the URL of Vault"),
    not_empty("path", "the signing path, such as pki/sign/my-role"),
    Rule(r"!self.path.matches('(^|/)[.][.](/|$)')", "path may not hold the segment ..: give the path itself", ".path"),
    _CA_BUNDLE,
    Rule(
        "has(self.clientCertSecretRef) == has(self.clientKeySecretRef)",
        "clientCertSecretRef and clientKeySecretRef go together: set both or none",
    ),
)
_VAULT_AUTH = (
    Rule(
        "has(self.tokenSecretRef) || has(self.appRole) || has(self.clientCertificate) || has(self.kubernetes) "
        "|| has(self.aws)",
        "auth is empty: set one of tokenSecretRef, appRole, clientCertificate, kubernetes, aws",
    ),
)
_VAULT_KUBERNETES = (
    not_empty("role", "the Vault role to take"),
    Rule(
        f"{secret_named('secretRef')} || has(self.serviceAccountRef)",
        "kubernetes auth needs a token: set serviceAccountRef (preferred) or secretRef",
    ),
)
_VENAFI = (
    Rule(
        # Word for word the one rule that upstream's CRD has.
        "(has(self.tpp) ? 1 : 0) + (has(self.cloud) ? 1 : 0) + (has(self.ngts) ? 1 : 0) == 1",
        "venafi has one back end: set exactly one of tpp, cloud, ngts",
    ),
    not_empty("zone", "the policy folder, or application and template"),
)

RULES: Mapping[type[Struct], tuple[Rule, ...]] = {
    cm.IssuerSpec: _ISSUER,
    issuers.CAIssuer: _CA,
    issuers.SelfSignedIssuer: (no_empty_items("crlDistributionPoints"),),
    issuers.VaultIssuer: _VAULT,
    issuers.VaultAuth: _VAULT_AUTH,
    issuers.VaultKubernetes: _VAULT_KUBERNETES,
    issuers.VenafiIssuer: _VENAFI,
    issuers.VenafiTPP: (not_empty("url", "the URL of the API"), _CA_BUNDLE),
    issuers.VenafiNGTS: (not_empty("tsgID", "the tenant service group"),),
}
