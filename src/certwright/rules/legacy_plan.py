"""Which solver the `acme.config` of a legacy Certificate chooses for a name: exact names, first entry wins."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.legacy_words import LegacyReason, LegacyText
from certwright.rules.hub import Dialect, HubIssuer


class Problem(Struct, frozen=True):
    """Why an object cannot work until it, or what it refers to, is edited: a word and a sentence."""

    reason: str
    message: str


def names_of(spec: legacy.CertificateSpec) -> tuple[str, ...]:
    """The DNS names that are to be proved: the common name first, then the others, each once."""
    return tuple(dict.fromkeys(name for name in (spec.common_name, *spec.dns_names) if name))


def entry_for(config: Iterable[legacy.DomainSolver], name: str) -> legacy.DomainSolver | None:
    """The first entry that lists exactly this name (`*.x` for a wildcard); case and a trailing dot do not matter."""
    wanted = _folded(name)
    return next((entry for entry in config if wanted in map(_folded, entry.domains)), None)


def plan_problem(spec: legacy.CertificateSpec, issuer: HubIssuer) -> Problem | None:
    """Why the names cannot be proved through this ACME issuer; None where nothing speaks against it."""
    if spec.acme is None:
        return None if has_own_solvers(issuer) else Problem(LegacyReason.INVALID_CONFIG, LegacyText.ACME_REQUIRED)
    problems = (_entry_problem(entry_for(spec.acme.config, name), name, issuer) for name in names_of(spec))
    return next((problem for problem in problems if problem), None)


def has_own_solvers(issuer: HubIssuer) -> bool:
    """Whether an ACME issuer lists solvers that are chosen by selector, as from v0.8 on."""
    acme = issuer.spec.acme
    if acme is None or issuer.key.dialect is Dialect.MODERN:
        return acme is not None
    # In the hub's spec the new-style solvers come first, then those made of http01 and the named providers.
    return len(acme.solvers) > len(issuer.named_solvers) + (issuer.plain_http01 is not None)


def _entry_problem(entry: legacy.DomainSolver | None, name: str, issuer: HubIssuer) -> Problem | None:
    if entry is None:
        return None
    if entry.dns01 is not None and issuer.named_solvers:
        if entry.dns01.provider in issuer.named_solvers:
            return None
        text = f'issuer does not contain DNS01 configuration for provider named "{entry.dns01.provider}"'
        return Problem(LegacyReason.VALIDATE_ERROR, text)
    if entry.http01 is not None and issuer.plain_http01 is not None and not name.startswith("*."):
        return None
    text = f'ACME server does not allow selected challenge type or no provider is configured for domain "{name}"'
    return Problem(LegacyReason.INVALID_CONFIG, text)


def _folded(name: str) -> str:
    return name.lower().removesuffix(".")
