"""Which private key the next certificate has."""

from __future__ import annotations

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.rules import defaults
from certwright.rules.facts import TLS_KEY, SecretFacts
from certwright.rules.reissue import key_fits


class NewKey(Struct, frozen=True):
    """A new one; `unreadable` says why the present one, which was to stay, cannot be read."""

    unreadable: str = ""


class PresentKey(Struct, frozen=True):
    """The one in the target Secret."""

    secret_name: str


class NoKey(Struct, frozen=True):
    """None: the present one does not fit the spec and may not be replaced; a person must act."""

    message: str


KeyChoice = NewKey | PresentKey | NoKey


def key_for_issuance(spec: cm.CertificateSpec, secret: SecretFacts | None) -> KeyChoice:
    """What `rotationPolicy` says of the key."""
    if not defaults.keeps_key(spec) or secret is None or TLS_KEY not in secret.data:
        return NewKey()
    if secret.key is None:
        return NewKey(secret.key_problem)
    if key_fits(secret.key, spec):
        return PresentKey(secret.name)
    has = secret.key.spec
    return NoKey(
        f"Cannot issue: the private key in Secret {secret.name} is {has}, "
        "which does not fit spec.privateKey, and rotationPolicy Never forbids a new one. "
        "Change spec.privateKey back, set rotationPolicy to Always, or delete the Secret."
    )


def next_key_secret(secrets: tuple[SecretFacts, ...], named: str | None) -> SecretFacts | None:
    """Which temporary Secret counts: the one that the status names; where it names none, the first."""
    if named:
        return next((secret for secret in secrets if secret.name == named), None)
    return min(secrets, key=lambda secret: secret.name, default=None)
