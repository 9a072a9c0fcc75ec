"""What the flags of the controller say, for all rooms that act on one cluster."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from msgspec import Struct

from certwright.rules.gates import Gates
from certwright.rules.renewal_time import USUAL_SPREAD

LegacyMode = Literal["off", "serve", "mirror"]


class Settings(Struct, frozen=True, kw_only=True):
    """Defaults are those of cert-manager 1.21, or of v0.5 for the legacy group, where no other are named."""

    cluster_resource_namespace: str = "kube-system"
    namespace: str = ""
    """Where set, only this namespace is watched, and ClusterIssuers are not served."""
    enable_certificate_owner_ref: bool = False
    copied_annotation_prefixes: tuple[str, ...] = (
        "*",
        "-kubectl.kubernetes.io/",
        "-fluxcd.io/",
        "-argocd.argoproj.io/",
    )
    minimum_backoff: timedelta = timedelta(hours=1)
    maximum_backoff: timedelta = timedelta(hours=32)
    max_concurrent_challenges: int = 60
    challenge_retry_period: timedelta = timedelta(seconds=10)
    cluster_issuer_ambient_credentials: bool = True
    issuer_ambient_credentials: bool = False
    legacy_mode: LegacyMode = "mirror"
    legacy_renew_before: timedelta = timedelta(hours=720)
    legacy_default_duration: timedelta = timedelta(hours=8760)
    """Validity of legacy Certificates with CA and self-signed issuers that name none; v0.6 and later took 2160h."""
    legacy_minimum_backoff: timedelta = timedelta(minutes=5)
    """Takes the place of `minimum_backoff` for legacy Certificates."""
    renewal_spread: float = USUAL_SPREAD
    """Which share of its lead a renewal may come early, so that those of one second are spread; 0 as cert-manager."""
    clip_to_ca: bool = True
    """Whether what a CA issuer signs ends with its CA at the latest; with cert-manager it may end later."""
    approve: bool = True
    """Whether the built-in approver runs in this process."""
    parallel_passes: int = 32
    gates: Gates = Gates()
