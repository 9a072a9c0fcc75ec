"""CEL rules of Certificates and CertificateRequests."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.cel import EMPTY_STRING, Rule, given, secret_named, value_or

_FIXED = "cannot change: a CertificateRequest is fixed once made; make a new one"
_NO_SAN = "give commonName or at least one of dnsNames, uris, emailAddresses, ipAddresses, otherNames"
_SPEC_NEEDED = Rule("has(self.spec)", "spec is missing: say what is wanted", ".spec", "FieldValueRequired")
_SUBJECT_PARTS = (
    "organizations",
    "countries",
    "organizationalUnits",
    "localities",
    "provinces",
    "streetAddresses",
    "postalCodes",
    "serialNumber",
)

_ISSUER_REF = (
    Rule(
        "self.issuerRef.name != ''", "issuerRef.name is empty: name an issuer", ".issuerRef.name", "FieldValueRequired"
    ),
    Rule(
        "(has(self.issuerRef.group) && !(self.issuerRef.group in ['', 'cert-manager.io'])) "
        "|| !has(self.issuerRef.kind) || self.issuerRef.kind in ['', 'Issuer', 'ClusterIssuer']",
        "issuerRef.kind must be Issuer or ClusterIssuer; for an external issuer set issuerRef.group too",
        ".issuerRef.kind",
    ),
)

_CERTIFICATE = (
    *_ISSUER_REF,
    Rule(
        " || ".join(
            given("commonName", "literalSubject", "dnsNames", "uris", "emailAddresses", "ipAddresses", "otherNames")
        ),
        f"the certificate would name nothing: {_NO_SAN}",
    ),
    Rule(
        "size(self.secretName) <= 253 && self.secretName.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')",
        "secretName must be the name of a Secret: lower case letters, digits, - and ., at most 253 characters",
        ".secretName",
    ),
    Rule(
        f"!{given('literalSubject')[0]} || !{given('commonName')[0]}",
        "literalSubject excludes commonName: put CN=… into literalSubject or use commonName with subject",
        ".literalSubject",
    ),
    Rule(
        f"!{given('literalSubject')[0]} || !has(self.subject) || !("
        + " || ".join(given(*(f"subject.{part}" for part in _SUBJECT_PARTS)))
        + ")",
        "literalSubject excludes subject: use one of them",
        ".literalSubject",
    ),
    Rule(
        "!has(self.commonName) || size(bytes(self.commonName)) <= 64",
        "commonName may have 64 bytes in UTF-8 at most: put longer names into dnsNames",
        ".commonName",
    ),
    Rule(
        "!has(self.duration) || duration(self.duration) >= duration('1h')",
        "duration must be 1h or more, written like 2160h",
        ".duration",
    ),
    Rule(
        "!has(self.renewBefore) || duration(self.renewBefore) >= duration('5m')",
        "renewBefore must be 5m or more, written like 360h",
        ".renewBefore",
    ),
    Rule(
        "!has(self.renewBefore) "
        "|| duration(self.renewBefore) < (has(self.duration) ? duration(self.duration) : duration('2160h'))",
        "renewBefore must be shorter than duration (2160h if left out)",
        ".renewBefore",
    ),
    Rule(
        "!has(self.renewBefore) || !has(self.renewBeforePercentage)",
        "renewBefore excludes renewBeforePercentage: use one of them",
        ".renewBeforePercentage",
    ),
    Rule(
        "!has(self.renewBeforePercentage) || !has(self.duration) || has(self.renewBefore) "
        "|| (self.renewBeforePercentage > 0 "
        "&& duration(self.duration).getSeconds() * (100 - self.renewBeforePercentage) >= 300 * 100)",
        "renewBeforePercentage must be from 1 to 99 and low enough to leave 5m of duration: try 33",
        ".renewBeforePercentage",
    ),
    Rule(
        "!has(self.signatureAlgorithm) "
        "|| (has(self.privateKey) && has(self.privateKey.algorithm) ? self.privateKey.algorithm : 'RSA') "
        "== (self.signatureAlgorithm == 'PureEd25519' ? 'Ed25519' "
        ": self.signatureAlgorithm.startsWith('ECDSA') ? 'ECDSA' : 'RSA')",
        "signatureAlgorithm does not fit privateKey.algorithm (RSA if left out): choose one of the same kind",
        ".signatureAlgorithm",
    ),
    Rule(
        f"!has(self.nameConstraints) || {value_or('isCA', 'false')}",
        "nameConstraints is for CA certificates: set isCA or leave it out",
        ".nameConstraints",
    ),
    Rule(
        "!has(self.additionalOutputFormats) || size(self.additionalOutputFormats) <= 1 "
        "|| (size(self.additionalOutputFormats) == 2 "
        "&& self.additionalOutputFormats[0].type != self.additionalOutputFormats[1].type)",
        "additionalOutputFormats may list each format once",
        ".additionalOutputFormats",
    ),
    Rule(
        "!has(self.revisionHistoryLimit) || self.revisionHistoryLimit >= 1",
        "revisionHistoryLimit must be 1 or more",
        ".revisionHistoryLimit",
    ),
)

_PRIVATE_KEY = (
    Rule(
        "!has(self.size) || self.size <= 0 || (has(self.algorithm) && self.algorithm != 'RSA') "
        "|| (self.size >= 2048 && self.size <= 8192)",
        "size must be from 2048 to 8192 for RSA",
        ".size",
    ),
    Rule(
        "!has(self.size) || self.size <= 0 || !has(self.algorithm) || self.algorithm != 'ECDSA' "
        "|| self.size in [256, 384, 521]",
        "size must be 256, 384 or 521 for ECDSA",
        ".size",
    ),
)

_KEYSTORE = (
    Rule(
        f"has(self.password) != {secret_named('passwordSecretRef')}",
        "give the keystore one password: passwordSecretRef or password",
    ),
    Rule("!has(self.password) || self.password != ''", "password is empty: choose one", ".password"),
)

_RENEWAL = (
    Rule("has(self.policy)", "policy is missing: choose RenewBefore or Disabled", ".policy", "FieldValueRequired"),
    Rule(
        "!has(self.policy) || self.policy != 'Disabled' || !has(self.windows) || size(self.windows) == 0",
        "windows have no effect with policy Disabled: take them out or choose RenewBefore",
        ".windows",
        "FieldValueForbidden",
    ),
)

_SECRET_TEMPLATE = (
    Rule(
        "!has(self.annotations) || self.annotations.all(key, "
        "!key.startsWith('cert-manager.io/') || key == 'cert-manager.io/allow-direct-injection')",
        "annotations below cert-manager.io/ are written by the controller: take them out",
        ".annotations",
    ),
)

_OTHER_NAME = (
    Rule("has(self.oid) && self.oid != ''", "oid is missing: give the object identifier of the name's type", ".oid"),
    Rule("has(self.utf8Value) && self.utf8Value != ''", "utf8Value is missing: give the name", ".utf8Value"),
)


def _same(field: str, default: str) -> Rule:
    """The field keeps its value; absent equals the default, as Go clients leave empty values out."""
    return Rule(
        f"{value_or(field, default)} == {value_or(field, default, 'oldSelf')}", f"{field} {_FIXED}", f".{field}"
    )


def _final(judgement: str) -> Rule:
    """The condition is never taken away or changed once it is there."""
    words = f"[{value_or('reason', EMPTY_STRING, 'c')}, {value_or('message', EMPTY_STRING, 'c')}]"
    told = f"map(c, c.type == '{judgement}', {words})"
    return Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.conditions) "
        f"|| !oldSelf.status.conditions.exists(c, c.type == '{judgement}') "
        "|| (has(self.status) && has(self.status.conditions) "
        f"&& self.status.conditions.{told} == oldSelf.status.conditions.{told})",
        f"condition {judgement} is final: make a new CertificateRequest to decide anew",
    )


_CERTIFICATE_REQUEST = (_SPEC_NEEDED, _final("Approved"), _final("Denied"))
_CERTIFICATE_REQUEST_STATUS = (
    Rule(
        "!has(self.conditions) || self.conditions.all(c, !(c.type in ['Approved', 'Denied']) || c.status == 'True')",
        "conditions Approved and Denied can only be True: leave out the one that does not hold",
        ".conditions",
    ),
    Rule(
        "!has(self.conditions) || !self.conditions.exists(c, c.type == 'Approved') "
        "|| !self.conditions.exists(c, c.type == 'Denied')",
        "conditions Approved and Denied exclude each other: set one of them",
        ".conditions",
    ),
)
_CERTIFICATE_REQUEST_SPEC = (
    *_ISSUER_REF,
    Rule("self.request == oldSelf.request", f"request {_FIXED}", ".request"),
    Rule(
        "self.issuerRef.name == oldSelf.issuerRef.name "
        f"&& {value_or('issuerRef.kind', EMPTY_STRING)} == {value_or('issuerRef.kind', EMPTY_STRING, 'oldSelf')} "
        f"&& {value_or('issuerRef.group', EMPTY_STRING)} == {value_or('issuerRef.group', EMPTY_STRING, 'oldSelf')}",
        f"issuerRef {_FIXED}",
        ".issuerRef",
    ),
    Rule(
        "has(self.duration) == has(oldSelf.duration) "
        "&& (!has(self.duration) || duration(self.duration) == duration(oldSelf.duration))",
        f"duration {_FIXED}",
        ".duration",
    ),
    _same("isCA", "false"),
    _same("usages", "[]"),
    _same("username", "''"),
    _same("uid", "''"),
    _same("groups", "[]"),
    _same("extra", "{}"),
)

RULES: Mapping[type[Struct], tuple[Rule, ...]] = {
    cm.Certificate: (_SPEC_NEEDED,),
    cm.CertificateSpec: _CERTIFICATE,
    cm.PrivateKey: _PRIVATE_KEY,
    cm.JKSKeystore: _KEYSTORE,
    cm.PKCS12Keystore: _KEYSTORE,
    cm.NameConstraints: (
        Rule("has(self.permitted) || has(self.excluded)", "nameConstraints is empty: set permitted or excluded"),
    ),
    cm.Renewal: _RENEWAL,
    cm.SecretTemplate: _SECRET_TEMPLATE,
    cm.OtherName: _OTHER_NAME,
    cm.CertificateRequest: _CERTIFICATE_REQUEST,
    cm.CertificateRequestSpec: _CERTIFICATE_REQUEST_SPEC,
    cm.CertificateRequestStatus: _CERTIFICATE_REQUEST_STATUS,
}
