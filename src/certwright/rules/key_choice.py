"""What a Certificate's private key is to be where its spec cannot say it: an annotation, and the feature gates."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.pki.keys import ML_DSA, KeyAlgorithm
from certwright.rules.gates import MLDSA, ROTATE_ALWAYS, Gates
from certwright.rules.hub import HubCertificate, HubIssuer

KEY_ALGORITHM = "certwright.io/private-key-algorithm"
"""Annotation of Certificates that takes the place of `spec.privateKey.algorithm`, for which the API knows no ML-DSA."""

_TURN_ON = f"start the controller with --feature-gates={MLDSA}=true"


def with_key_choices(certificate: HubCertificate, gates: Gates) -> HubCertificate:
    """The Certificate with what the annotation and the gates say of its key."""
    key = certificate.spec.private_key or cm.PrivateKey()
    if key.rotation_policy is None and ROTATE_ALWAYS not in gates:
        key = replace(key, rotation_policy="Never")
    asked = certificate.metadata.annotations.get(KEY_ALGORITHM)
    if asked is not None and asked not in ML_DSA:
        return replace(_with_key(certificate, key), problem=_unknown(asked))
    if asked is not None:
        key = replace(key, algorithm=asked)
    chosen = _with_key(certificate, key)
    # A certificate that is there stays good without the gate: only a new one is not made.
    return replace(chosen, unissuable=_off(asked)) if asked is not None and MLDSA not in gates else chosen


def ungated(algorithm: KeyAlgorithm | None, gates: Gates) -> str:
    """Why nothing is done with a key of that algorithm (None: none of ML-DSA); no text where it is."""
    if algorithm is None or algorithm not in ML_DSA or MLDSA in gates:
        return ""
    return f"the key is {algorithm}, and the feature gate {MLDSA} is off: {_TURN_ON}, or use a key of another kind"


def unfit_issuer(issuer: HubIssuer, algorithm: KeyAlgorithm | None) -> str:
    """Why an issuer of ours certifies no key of that algorithm; no text where it does."""
    if algorithm is None or algorithm not in ML_DSA or issuer.spec.ca or issuer.spec.self_signed:
        return ""
    kind = next((name for name in cm.IssuerSpec.__struct_fields__ if getattr(issuer.spec, name)), "unknown")
    return (
        f'{issuer.key.kind} "{issuer.key.name}" is of the type {kind}, which certifies no {algorithm} keys: name an '
        f"issuer of the type ca or selfSigned, or ask for a key of another kind (annotation {KEY_ALGORITHM})."
    )


def _with_key(certificate: HubCertificate, key: cm.PrivateKey) -> HubCertificate:
    return replace(certificate, spec=replace(certificate.spec, private_key=key))


def _unknown(asked: str) -> str:
    return (
        f"The annotation {KEY_ALGORITHM} is {asked[:80]!r}: use one of {', '.join(ML_DSA)}, or take it off and set "
        "spec.privateKey.algorithm."
    )


def _off(asked: str) -> str:
    return (
        f"The annotation {KEY_ALGORITHM} asks for {asked}, and the feature gate {MLDSA} is off: {_TURN_ON}, or take "
        "the annotation off."
    )
