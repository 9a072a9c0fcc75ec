"""What the operator of the CA decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from msgspec import Struct, field

from certwright.acme.protocol.messages import ChallengeType
from certwright.rest import SecretText

DEFAULT_PROFILE = "default"


class Profile(Struct, frozen=True):
    """A kind of certificate that an order may name."""

    description: str
    lifetime: timedelta


def usual_profiles() -> dict[str, Profile]:
    """Two lifetimes that public CAs offer; the first is that of orders that name no profile."""
    return {
        DEFAULT_PROFILE: Profile("The usual certificate", timedelta(days=90)),
        "shortlived": Profile("A certificate for days", timedelta(days=6)),
    }


class Rate(Struct, frozen=True):
    """At most `most` in any span of length `window`."""

    most: int
    window: timedelta


class ValidationOptions(Struct, frozen=True, kw_only=True):
    """How control of identifiers is checked.

    `dns_server` (`address:port`) answers for TXT and for the addresses of names; empty: the system's resolver.
    `is_skipped` believes every claim, which is for benchmarks.
    """

    challenge_types: tuple[str, ...] = (ChallengeType.HTTP_01, ChallengeType.DNS_01)
    dns_server: str = ""
    http_port: int = 80
    tls_port: int = 443
    timeout: timedelta = timedelta(seconds=10)
    is_skipped: bool = False


class AccountOptions(Struct, frozen=True, kw_only=True):
    """Who may have an account; `external_accounts` maps key ids to MAC keys in base64url."""

    terms_of_service: str = ""
    external_accounts: Mapping[str, SecretText] = {}
    external_account_required: bool = False


class OrderOptions(Struct, frozen=True, kw_only=True):
    """What may be ordered, and how long things are good for."""

    profiles: Mapping[str, Profile] = field(default_factory=usual_profiles)
    blocked: tuple[str, ...] = ()
    lifetime: timedelta = timedelta(days=7)
    authorization_lifetime: timedelta = timedelta(days=30)
    reuses_authorizations: bool = False
    retry_after: timedelta = timedelta(seconds=1)
    renewal_retry_after: timedelta = timedelta(hours=6)
    suggests_renewals: bool = True
    """Whether there is renewal information (RFC 9773)."""
    new_orders: Rate | None = None
    duplicates: Rate | None = None


class AcmeServerOptions(Struct, frozen=True, kw_only=True):
    """Where the CA listens, what it is called, what it keeps and what it allows.

    The serving certificate is for `host_names` besides `host` and `localhost`. Without `state_file` everything ends
    with the process. `alternate_roots` is how many more chains are offered for each certificate.
    """

    host: str = "127.0.0.1"
    port: int = 0
    host_names: tuple[str, ...] = ()
    state_file: Path | None = None
    name: str = "Certwright local CA"
    alternate_roots: int = 0
    validation: ValidationOptions = ValidationOptions()
    accounts: AccountOptions = AccountOptions()
    orders: OrderOptions = OrderOptions()
