"""A serving certificate that the webhook's own CA signs, renewed in memory."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from msgspec import Struct

from certwright.clock import Clock
from certwright.pki.authority import IPAddress, KeyPair, issue_server
from certwright.webhook.serving.authority import AuthoritySecret, SharedAuthority
from certwright.webhook.serving.source import NotYet

LEAF_LIFETIME = timedelta(days=7)
# A new CA signs only when whoever injects its certificate had this long to do so.
SETTLING = timedelta(minutes=5)


class _Leaf(Struct, frozen=True):
    pair: KeyPair
    authority: SharedAuthority
    renewal: datetime
    ends: datetime


class SelfMade:
    """Each replica has a leaf of its own; the CA is shared."""

    def __init__(
        self, authority: AuthoritySecret, clock: Clock, names: tuple[str, ...], lifetime: timedelta = LEAF_LIFETIME
    ) -> None:
        self._authority = authority
        self._clock = clock
        self._names, self._addresses = _sorted_out(names)
        self._lifetime = lifetime
        self._leaf: _Leaf | None = None

    async def look(self) -> KeyPair:
        """The leaf, which is renewed after two thirds of its life and when the CA is another one."""
        now = self._clock.now()
        try:
            shared = await self._authority.current()
        except NotYet:
            if self._leaf is not None and now < self._leaf.renewal:
                return self._leaf.pair
            raise
        if self._leaf is None or now >= self._leaf.renewal or _is_superseded(self._leaf, shared, now):
            self._leaf = self._issue(shared, now)
        return self._leaf.pair

    def _issue(self, shared: SharedAuthority, now: datetime) -> _Leaf:
        lifetime = min(self._lifetime, shared.facts.not_after - now)
        pair = issue_server(shared.authority, self._names, self._addresses, now, lifetime)
        return _Leaf(pair, shared, now + lifetime * 2 / 3, now + lifetime)


def _is_superseded(leaf: _Leaf, shared: SharedAuthority, now: datetime) -> bool:
    """Whether clients trust the new CA by now, or the one before no longer."""
    before = leaf.authority.authority.cert_pem
    if before == shared.authority.cert_pem:
        return False
    return now >= shared.made + SETTLING or before not in shared.bundle


def _sorted_out(names: tuple[str, ...]) -> tuple[list[str], list[IPAddress]]:
    hosts: list[str] = []
    addresses: list[IPAddress] = []
    for name in names:
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            hosts.append(name)
    return hosts, addresses
