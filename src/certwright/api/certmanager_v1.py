"""cert-manager.io/v1: Certificate, CertificateRequest, Issuer and ClusterIssuer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from certwright.api.acme_v1 import AcmeIssuer, AcmeIssuerStatus
from certwright.api.issuer_types import CAIssuer, SelfSignedIssuer, VaultIssuer, VenafiIssuer
from certwright.api.meta import (
    ApiStruct,
    Condition,
    Int32,
    ObjectMeta,
    ObjectReference,
    SecretKeySelector,
    always,
    doc,
)

KeyAlgorithm = Literal["RSA", "ECDSA", "Ed25519"]
KeyEncoding = Literal["PKCS1", "PKCS8"]
RotationPolicy = Literal["Never", "Always"]
SignatureAlgorithm = Literal[
    "SHA256WithRSA",
    "SHA384WithRSA",
    "SHA512WithRSA",
    "ECDSAWithSHA256",
    "ECDSAWithSHA384",
    "ECDSAWithSHA512",
    "PureEd25519",
]
KeyUsage = Literal[
    "signing",
    "digital signature",
    "content commitment",
    "key encipherment",
    "key agreement",
    "data encipherment",
    "cert sign",
    "crl sign",
    "encipher only",
    "decipher only",
    "any",
    "server auth",
    "client auth",
    "code signing",
    "email protection",
    "s/mime",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "timestamping",
    "ocsp signing",
    "microsoft sgc",
    "netscape sgc",
]
Pkcs12Profile = Literal["LegacyRC2", "LegacyDES", "Modern2023", "Modern2026"]
OutputFormat = Literal["DER", "CombinedPEM"]
RenewalPolicy = Literal["RenewBefore", "Disabled"]

_BY_TYPE = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}


class Subject(ApiStruct, frozen=True, kw_only=True):
    """Parts of the subject name beside the common name."""

    organizations: Annotated[tuple[str, ...], doc("Organizations (O).")] = ()
    countries: Annotated[tuple[str, ...], doc("Countries (C).")] = ()
    organizational_units: Annotated[tuple[str, ...], doc("Organizational units (OU).")] = ()
    localities: Annotated[tuple[str, ...], doc("Cities (L).")] = ()
    provinces: Annotated[tuple[str, ...], doc("States or provinces (ST).")] = ()
    street_addresses: Annotated[tuple[str, ...], doc("Street addresses.")] = ()
    postal_codes: Annotated[tuple[str, ...], doc("Postal codes.")] = ()
    serial_number: Annotated[str, doc("Serial number of the subject, not of the certificate.")] = ""


class OtherName(ApiStruct, frozen=True, kw_only=True):
    """A subject alternative name of another type, as a UTF-8 string."""

    oid: Annotated[str, doc("Object identifier of the type, e.g. 1.3.6.1.4.1.311.20.2.3.")] = ""
    utf8_value: Annotated[str, doc("The value.")] = ""


class PrivateKey(ApiStruct, frozen=True, kw_only=True):
    """What key is made, and when a new one."""

    rotation_policy: Annotated[RotationPolicy | None, doc("Always (default): a new key at each issuance.")] = None
    encoding: Annotated[KeyEncoding | None, doc("Form of tls.key: PKCS1 (default) or PKCS8.")] = None
    algorithm: Annotated[KeyAlgorithm | None, doc("RSA (default), ECDSA or Ed25519.")] = None
    size: Annotated[int, doc("RSA: 2048 (default) to 8192 bits. ECDSA: 256 (default), 384 or 521.")] = 0


class SecretTemplate(ApiStruct, frozen=True, kw_only=True):
    """Metadata for the target Secret."""

    annotations: Annotated[Mapping[str, str], doc("Annotations to put on the Secret.")] = msgspec.field(
        default_factory=dict
    )
    labels: Annotated[Mapping[str, str], doc("Labels to put on the Secret.")] = msgspec.field(default_factory=dict)


class JKSKeystore(ApiStruct, frozen=True, kw_only=True):
    """A Java keystore in the target Secret: keystore.jks and, with a CA, truststore.jks."""

    create: Annotated[bool, doc("Whether to write it.")]
    alias: Annotated[str | None, doc("Alias of the entry; certificate if left out.")] = None
    password_secret_ref: Annotated[SecretKeySelector | None, doc("Password from a Secret; excludes password.")] = None
    password: Annotated[str | None, doc("Password in the open; excludes passwordSecretRef.")] = None

    def __repr__(self) -> str:
        return (
            f"JKSKeystore(create={self.create}, alias={self.alias!r}, password_secret_ref={self.password_secret_ref})"
        )

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("create", self.create), ("alias", self.alias), ("password_secret_ref", self.password_secret_ref)]


class PKCS12Keystore(ApiStruct, frozen=True, kw_only=True):
    """A PKCS#12 keystore in the target Secret: keystore.p12 and, with a CA, truststore.p12."""

    create: Annotated[bool, doc("Whether to write it.")]
    profile: Annotated[
        Pkcs12Profile | None, doc("Encryption inside; LegacyRC2 (weak, widely readable) if left out.")
    ] = None
    password_secret_ref: Annotated[SecretKeySelector | None, doc("Password from a Secret; excludes password.")] = None
    password: Annotated[str | None, doc("Password in the open; excludes passwordSecretRef.")] = None

    def __repr__(self) -> str:
        return (
            f"PKCS12Keystore(create={self.create}, profile={self.profile!r}, "
            f"password_secret_ref={self.password_secret_ref})"
        )

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("create", self.create), ("profile", self.profile), ("password_secret_ref", self.password_secret_ref)]


class Keystores(ApiStruct, frozen=True, kw_only=True):
    """More files in the target Secret."""

    jks: Annotated[JKSKeystore | None, doc("Java keystore.")] = None
    pkcs12: Annotated[PKCS12Keystore | None, doc("PKCS#12 keystore.")] = None


class AdditionalOutputFormat(ApiStruct, frozen=True, kw_only=True):
    """A further form of key and certificate in the target Secret."""

    type: Annotated[OutputFormat, doc("CombinedPEM: key and chain in tls-combined.pem. DER: key in key.der.")]


class NameConstraintItem(ApiStruct, frozen=True, kw_only=True):
    """Names below which a CA may, or may not, issue."""

    dns_domains: Annotated[tuple[str, ...], doc("DNS domains.")] = ()
    ip_ranges: Annotated[tuple[str, ...], doc("IP ranges as CIDR.")] = ()
    email_addresses: Annotated[tuple[str, ...], doc("Mail addresses, hosts or domains.")] = ()
    uri_domains: Annotated[tuple[str, ...], doc("Domains of URIs.")] = ()


class NameConstraints(ApiStruct, frozen=True, kw_only=True):
    """The X.509 extension that limits what a CA may issue for; with isCA only."""

    critical: Annotated[bool, doc("Whether clients that do not know the extension must refuse.")] = False
    permitted: Annotated[NameConstraintItem | None, doc("Where the CA may issue.")] = None
    excluded: Annotated[NameConstraintItem | None, doc("Where the CA may not issue.")] = None


class RenewalWindow(ApiStruct, frozen=True, kw_only=True):
    """A time in which to renew."""

    cron: Annotated[str, doc("When the window opens: five cron fields.", minLength=1)]
    timezone: Annotated[str | None, doc("IANA time zone of the schedule; UTC if left out.", minLength=1)] = None
    window_duration: Annotated[
        str, doc("How long the window stays open, e.g. 4h.", pattern=r"^([0-9]+(\.[0-9]+)?(s|m|h))+$")
    ]


class Renewal(ApiStruct, frozen=True, kw_only=True):
    """Whether and when to renew."""

    policy: Annotated[RenewalPolicy | None, doc("RenewBefore: before expiry. Disabled: never by itself.")] = None
    windows: Annotated[tuple[RenewalWindow, ...], doc("Times in which to renew; any time if empty.")] = ()


class CertificateSpec(ApiStruct, frozen=True, kw_only=True):
    """The wanted certificate."""

    subject: Annotated[Subject | None, doc("Subject beside the common name; excludes literalSubject.")] = None
    literal_subject: Annotated[str, doc("Subject as an RFC 4514 string, order kept.")] = ""
    common_name: Annotated[str, doc("Common name, at most 64 characters; clients look at dnsNames.")] = ""
    duration: Annotated[str | None, doc("Wanted validity, 1h or more; 2160h if left out.")] = None
    renew_before: Annotated[str | None, doc("Time before expiry to renew, 5m or more; a third if left out.")] = None
    renew_before_percentage: Annotated[
        Int32 | None, doc("Share of the validity that is left when it is renewed; excludes renewBefore.")
    ] = None
    renewal: Annotated[Renewal | None, doc("Whether and when to renew.")] = None
    dns_names: Annotated[tuple[str, ...], doc("DNS names; a wildcard is written as *.example.com.")] = ()
    ip_addresses: Annotated[tuple[str, ...], doc("IP addresses.")] = ()
    uris: Annotated[tuple[str, ...], doc("URIs.")] = ()
    other_names: Annotated[tuple[OtherName, ...], doc("Names of other types.")] = ()
    email_addresses: Annotated[tuple[str, ...], doc("Mail addresses.")] = ()
    secret_name: Annotated[str, doc("Secret that receives key and certificate; of its own, in this namespace.")]
    secret_template: Annotated[SecretTemplate | None, doc("Labels and annotations for the Secret.")] = None
    keystores: Annotated[Keystores | None, doc("Java and PKCS#12 keystores to add to the Secret.")] = None
    issuer_ref: Annotated[ObjectReference, doc("The issuer.")]
    is_ca: Annotated[bool, doc("Whether the certificate may sign others.")] = False
    usages: Annotated[tuple[KeyUsage, ...], doc("Key usages; digital signature and key encipherment if empty.")] = ()
    private_key: Annotated[PrivateKey | None, doc("What key is made, and when a new one.")] = None
    signature_algorithm: Annotated[
        SignatureAlgorithm | None, doc("Signature of the request; must fit the key. Most issuers choose their own.")
    ] = None
    encode_usages_in_request: Annotated[bool | None, doc("Put usages in the request; true if left out.")] = None
    revision_history_limit: Annotated[Int32 | None, doc("CertificateRequests to keep, 1 or more; 1 if left out.")] = (
        None
    )
    additional_output_formats: Annotated[
        tuple[AdditionalOutputFormat, ...], doc("Further forms of key and certificate in the Secret.")
    ] = ()
    name_constraints: Annotated[NameConstraints | None, doc("Limits on what this CA may issue for.")] = None


class SuggestedWindow(ApiStruct, frozen=True, kw_only=True):
    """When the CA suggests to renew."""

    start: Annotated[datetime, doc("Start of the window.")]
    end: Annotated[datetime, doc("End of the window.")]


class RenewalInformation(ApiStruct, frozen=True, kw_only=True):
    """ACME renewal information (RFC 9773)."""

    suggested_window: Annotated[SuggestedWindow | None, doc("When the CA suggests to renew.")] = None
    explanation_url: Annotated[str, doc("Page of the CA that says why.")] = ""
    last_checked: Annotated[datetime | None, doc("When the CA was last asked.")] = None
    next_check: Annotated[datetime | None, doc("When the CA is asked again.")] = None
    last_error: Annotated[str, doc("What went wrong when the CA was last asked.")] = ""


class CertificateAcmeStatus(ApiStruct, frozen=True, kw_only=True):
    """What the ACME CA says of this certificate."""

    ari: Annotated[RenewalInformation | None, doc("Renewal information of the CA.")] = None


class CertificateStatus(ApiStruct, frozen=True, kw_only=True):
    """What there is."""

    conditions: Annotated[tuple[Condition, ...], doc("Facts; Ready and Issuing are ours.", **_BY_TYPE)] = ()
    last_failure_time: Annotated[datetime | None, doc("When issuance last failed; cleared by success.")] = None
    not_before: Annotated[datetime | None, doc("Start of validity of the certificate in the Secret.")] = None
    not_after: Annotated[datetime | None, doc("End of validity of the certificate in the Secret.")] = None
    renewal_time: Annotated[datetime | None, doc("When it will be renewed.")] = None
    revision: Annotated[int | None, doc("Number of the last issuance, from 1.")] = None
    next_private_key_secret_name: Annotated[str | None, doc("Secret of the next key, while issuing.")] = None
    failed_issuance_attempts: Annotated[int | None, doc("Failures in a row; each one doubles the wait.")] = None
    acme: Annotated[CertificateAcmeStatus | None, doc("What the ACME CA says of this certificate.")] = None


class Certificate(ApiStruct, frozen=True, kw_only=True):
    """A certificate that is kept valid in a Secret."""

    api_version: str = always("cert-manager.io/v1")
    kind: str = always("Certificate")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[CertificateSpec, doc("The wanted certificate.")]
    status: Annotated[CertificateStatus, doc("What there is.")] = msgspec.field(default_factory=CertificateStatus)


class CertificateRequestSpec(ApiStruct, frozen=True, kw_only=True):
    """What is asked of an issuer; never changes."""

    duration: Annotated[str | None, doc("Wanted validity.")] = None
    issuer_ref: Annotated[ObjectReference, doc("The issuer.")]
    request: Annotated[bytes, doc("PEM certificate request.")]
    is_ca: Annotated[bool, doc("Whether the certificate may sign others.")] = False
    usages: Annotated[tuple[KeyUsage, ...], doc("Key usages; digital signature and key encipherment if empty.")] = ()
    username: Annotated[str, doc("Who asked; filled in at creation.")] = ""
    uid: Annotated[str, doc("UID of who asked; filled in at creation.")] = ""
    groups: Annotated[tuple[str, ...], doc("Groups of who asked; filled in at creation.")] = ()
    extra: Annotated[Mapping[str, tuple[str, ...]], doc("More on who asked; filled in at creation.")] = msgspec.field(
        default_factory=dict
    )


class CertificateRequestStatus(ApiStruct, frozen=True, kw_only=True):
    """The issuer's answer."""

    conditions: Annotated[
        tuple[Condition, ...],
        doc("Facts: Approved, Denied, InvalidRequest and Ready.", without=["observedGeneration"], **_BY_TYPE),
    ] = ()
    certificate: Annotated[bytes, doc("PEM chain, leaf first.")] = b""
    ca: Annotated[bytes, doc("PEM of the CA certificate, where the issuer knows it.")] = b""
    failure_time: Annotated[datetime | None, doc("When the request failed or was denied.")] = None


class CertificateRequest(ApiStruct, frozen=True, kw_only=True):
    """A request to an issuer for one certificate."""

    api_version: str = always("cert-manager.io/v1")
    kind: str = always("CertificateRequest")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[CertificateRequestSpec, doc("What is asked of the issuer; never changes.")]
    status: Annotated[CertificateRequestStatus, doc("The issuer's answer.")] = msgspec.field(
        default_factory=CertificateRequestStatus
    )


class IssuerSpec(ApiStruct, frozen=True, kw_only=True):
    """Who signs; exactly one kind."""

    acme: Annotated[AcmeIssuer | None, doc("A CA that speaks ACME, e.g. Let's Encrypt.")] = None
    ca: Annotated[CAIssuer | None, doc("A CA key pair in a Secret.")] = None
    vault: Annotated[VaultIssuer | None, doc("HashiCorp Vault.")] = None
    self_signed: Annotated[SelfSignedIssuer | None, doc("Each certificate signs itself.")] = None
    venafi: Annotated[VenafiIssuer | None, doc("CyberArk (Venafi) Certificate Manager.")] = None


class IssuerStatus(ApiStruct, frozen=True, kw_only=True):
    """Whether the issuer can sign."""

    conditions: Annotated[tuple[Condition, ...], doc("Facts; Ready says whether it can sign.", **_BY_TYPE)] = ()
    acme: Annotated[AcmeIssuerStatus | None, doc("The ACME account.")] = None


class Issuer(ApiStruct, frozen=True, kw_only=True):
    """Signs certificates of its namespace."""

    api_version: str = always("cert-manager.io/v1")
    kind: str = always("Issuer")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[IssuerSpec, doc("Who signs.")]
    status: Annotated[IssuerStatus, doc("Whether the issuer can sign.")] = msgspec.field(default_factory=IssuerStatus)


class ClusterIssuer(ApiStruct, frozen=True, kw_only=True):
    """Signs certificates of all namespaces."""

    api_version: str = always("cert-manager.io/v1")
    kind: str = always("ClusterIssuer")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[IssuerSpec, doc("Who signs.")]
    status: Annotated[IssuerStatus, doc("Whether the issuer can sign.")] = msgspec.field(default_factory=IssuerStatus)
