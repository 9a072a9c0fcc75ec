"""Where the TXT record of a name belongs: its own name, the name a CNAME gives it to, and the zone of that."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from certwright.clock import Clock
from certwright.solvers.dns01.client import DnsClient, DnsFailure, targets

if TYPE_CHECKING:
    import dns.message
    import dns.name
    import dns.rrset

MOST_HOPS = 10
MOST_ZONES = 1024


class CnameStrategy(Enum):
    """Where the record is written: at the name itself, or where CNAMEs lead; v1alpha1 followed one of them."""

    NONE = "None"
    FOLLOW = "Follow"
    ONE_HOP = "OneHop"


MOST_HOPS_OF = {CnameStrategy.NONE: 0, CnameStrategy.FOLLOW: MOST_HOPS, CnameStrategy.ONE_HOP: 1}


def challenge_name(identifier: str) -> str:
    """RFC 8555 8.4: the name of the TXT record of a DNS name; a wildcard shares that of its base."""
    return f"_acme-challenge.{identifier.removeprefix('*.').rstrip('.').lower()}."


class Zones:
    """Finds the zone of a name by its SOA, which is kept as long as that record's TTL says."""

    def __init__(self, client: DnsClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._kept: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    async def target(self, name: str, strategy: CnameStrategy) -> str:
        """The name where the record is written; DnsFailure where the CNAMEs are a loop or cannot be asked for."""
        seen = [name]
        for _ in range(MOST_HOPS_OF[strategy]):
            found = targets(await self._client.recursive(seen[-1], "CNAME"), seen[-1], "CNAME")
            if not found:
                return seen[-1]
            if found[0] in seen:
                raise DnsFailure(f"the CNAMEs of {name} are a loop: {' -> '.join([*seen, found[0]])}")
            seen.append(found[0])
        if strategy is CnameStrategy.FOLLOW:
            raise DnsFailure(f"{name} leads through more than {MOST_HOPS} CNAMEs; shorten the chain")
        return seen[-1]

    async def zone(self, name: str) -> str:
        """The zone that holds the name, with a trailing dot; DnsFailure where no nameserver knows one."""
        now = self._clock.now()
        kept = self._kept.get(name)
        if kept is not None and now < kept[1]:
            self._kept.move_to_end(name)
            return kept[0]
        zone, ttl = await self._climb(name)
        self._keep(name, zone, now + ttl)
        return zone

    def _keep(self, name: str, zone: str, until: datetime) -> None:
        self._kept[name] = (zone, until)
        self._kept.move_to_end(name)
        while len(self._kept) > MOST_ZONES:
            self._kept.popitem(last=False)

    async def _climb(self, name: str) -> tuple[str, timedelta]:
        import dns.exception
        import dns.name

        try:
            at = dns.name.from_text(name)
        except dns.exception.DNSException as error:
            raise DnsFailure(f"{name!r} is no DNS name: {error}") from error
        while len(at.labels) > 1:
            answer = await self._client.recursive(at.to_text(), "SOA")
            found = _soa(answer, at)
            if found is not None:
                return found.name.to_text().lower(), timedelta(seconds=found.ttl)
            at = at.parent()
        raise DnsFailure(f"no zone of {name} was found: no nameserver gives an SOA record for it or a name above")


def _soa(answer: dns.message.Message, name: dns.name.Name) -> dns.rrset.RRset | None:
    """The SOA of the zone of `name`: asked for at the apex, or beside a negative answer (RFC 2308 section 3)."""
    import dns.rdatatype

    if any(rrset.rdtype == dns.rdatatype.CNAME for rrset in answer.answer):
        return None  # what follows is about the CNAME's target
    for rrset in [*answer.answer, *answer.authority]:
        if rrset.rdtype == dns.rdatatype.SOA and name.is_subdomain(rrset.name) and len(rrset.name.labels) > 1:
            return rrset
    return None
