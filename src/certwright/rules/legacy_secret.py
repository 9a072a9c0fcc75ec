"""What the target Secret of a legacy Certificate holds beside the key pair.

For the rules of Secret contents: where a Certificate's dialect is LEGACY, `legacy_marks` gives its labels and
annotations in place of the modern ones and `legacy_chain` its `tls.crt`; `ca.crt` is written as for modern ones,
`secretTemplate` and key stores do not exist. Whoever writes a Secret removes `other_marks` of its dialect from it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from certwright.api.wellknown import Annotation, Label, LegacyKey
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.rules.hub import Dialect, HubCertificate

LONGEST_LABEL_VALUE = 63


class SecretMarks(Struct, frozen=True, kw_only=True):
    """Labels and annotations."""

    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)


def legacy_marks(certificate: HubCertificate, common_name: str, names: AlternativeNames) -> SecretMarks:
    """The marks of a Secret with a certificate of that common name and those names.

    The issuer is recorded for v1 too, without a group, so that v1 adopts the Secret as it is.
    """
    issuer, name = certificate.spec.issuer_ref, certificate.key.name
    kind = issuer.kind or "Issuer"
    named = {LegacyKey.CERTIFICATE_NAME: name} if len(name) <= LONGEST_LABEL_VALUE else {}
    return SecretMarks(
        labels={Label.FILTERED: "true", **named},
        annotations={
            LegacyKey.CERTIFICATE_NAME: name,
            LegacyKey.ISSUER_NAME: issuer.name,
            LegacyKey.ISSUER_KIND: kind,
            LegacyKey.COMMON_NAME: common_name,
            LegacyKey.ALT_NAMES: ",".join(names.dns_names),
            LegacyKey.IP_SANS: ",".join(names.ip_addresses),
            Annotation.ISSUER_NAME: issuer.name,
            Annotation.ISSUER_KIND: kind,
        },
    )


def other_marks(dialect: Dialect) -> SecretMarks:
    """The marks of the other dialect that a writer of this one removes (their values are empty)."""
    if dialect is Dialect.LEGACY:
        return SecretMarks(annotations={Annotation.CERTIFICATE_NAME: "", Annotation.ISSUER_GROUP: ""})
    return SecretMarks(labels={LegacyKey.CERTIFICATE_NAME: ""}, annotations={LegacyKey.CERTIFICATE_NAME: ""})


def legacy_chain(chain_pem: bytes, ca_pem: bytes, *, from_ca_issuer: bool) -> bytes:
    """`tls.crt`: as the issuer gave it; from a CA issuer always the leaf and its CA, also where that is the root."""
    if not from_ca_issuer or not ca_pem:
        return chain_pem
    chain, above = pem.split_certificates(chain_pem, "the chain"), pem.split_certificates(ca_pem, "the CA")
    return chain_pem if len(chain) > 1 or above[:1] == chain else chain_pem + ca_pem
