"""What a Certificate's spec means where it says nothing. Nothing of this is ever written into an object."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectReference, parse_duration
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP
from certwright.pki.keys import KeyAlgorithm, KeyEncoding, KeySpec
from certwright.pki.usages import DEFAULT_USAGES

DEFAULT_DURATION = timedelta(hours=2160)
DEFAULT_HISTORY = 1
DEFAULT_KIND = "Issuer"


def key_spec(spec: cm.CertificateSpec) -> KeySpec:
    """The key that is wanted."""
    return KeySpec() if spec.private_key is None else _key_spec(spec.private_key)


# Thousands of Certificates ask for a few kinds of keys.
@lru_cache(maxsize=64)
def _key_spec(wanted: cm.PrivateKey) -> KeySpec:
    return KeySpec(KeyAlgorithm(wanted.algorithm or "RSA"), max(wanted.size, 0))


def key_encoding(spec: cm.CertificateSpec) -> KeyEncoding:
    """The form of `tls.key`."""
    return KeyEncoding((spec.private_key and spec.private_key.encoding) or "PKCS1")


def keeps_key(spec: cm.CertificateSpec) -> bool:
    """Whether the key stays when the certificate is issued again."""
    return spec.private_key is not None and spec.private_key.rotation_policy == "Never"


def usages(asked: tuple[str, ...]) -> tuple[str, ...]:
    """The usages, or those that an empty list means."""
    return asked or DEFAULT_USAGES


def duration(text: str | None) -> timedelta:
    """The validity asked for; ValueError with a sentence where the text says none."""
    return DEFAULT_DURATION if text is None else parse_duration(text)


def history_limit(spec: cm.CertificateSpec) -> int:
    """How many CertificateRequests are kept."""
    return max(spec.revision_history_limit or DEFAULT_HISTORY, 1)


def full_reference(ref: ObjectReference) -> ObjectReference:
    """The reference with kind and group filled in."""
    return replace(ref, kind=ref.kind or DEFAULT_KIND, group=ref.group or CERT_MANAGER_GROUP)


def is_same_issuer(one: ObjectReference, other: ObjectReference) -> bool:
    """Whether both mean one issuer, seen from one namespace.

    Our two groups count as one: who moves an issuer of 2018 to v1 under its name does not want new certificates.
    """
    return one == other or _in_one_group(full_reference(one)) == _in_one_group(full_reference(other))


def _in_one_group(reference: ObjectReference) -> ObjectReference:
    return replace(reference, group=CERT_MANAGER_GROUP) if reference.group == LEGACY_GROUP else reference
