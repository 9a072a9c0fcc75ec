"""One look whether an HTTP-01 answer is found where the CA will ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec
from msgspec import Struct

from certwright.rest import Proxies
from certwright.solvers.base import Visibility
from certwright.solvers.dns01.client import DnsClient
from certwright.solvers.http01.challenge import Http01Challenge

TIMEOUT = timedelta(seconds=10)


class SelfCheckOptions(Struct, frozen=True, kw_only=True):
    """`dns` resolves names in the place of the system's resolver (`--acme-http01-solver-nameservers`).

    `connect_to` maps `host:port` to the `host:port` that is connected to; the Host header stays the same.
    """

    proxies: Proxies = Proxies()
    connect_to: Mapping[str, str] = msgspec.field(default_factory=dict)
    timeout: timedelta = TIMEOUT


class SelfCheck:
    """Asks as a CA does; `close` when done."""

    def __init__(self, options: SelfCheckOptions, dns: DnsClient | None = None) -> None:
        self._options = options
        self._dns = dns

    async def look(self, challenge: Http01Challenge) -> Visibility:
        """Whether a GET gives the key authorization now; nothing of what else is found stands in the reason."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connections."""
        raise NotImplementedError
