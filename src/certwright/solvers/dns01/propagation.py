"""Whether a TXT value is visible to an ACME server."""

from __future__ import annotations

import asyncio

from certwright.solvers.base import NotYet, Propagated, Visibility
from certwright.solvers.dns01.client import DnsClient, DnsFailure, targets, texts
from certwright.solvers.dns01.zones import CnameStrategy, Zones

MOST_NAMESERVERS = 26


class Propagation:
    """Looks at every nameserver that matters, once a call; whoever calls decides when to look again."""

    def __init__(self, client: DnsClient, zones: Zones) -> None:
        self._client = client
        self._zones = zones

    async def check(self, name: str, value: str) -> Visibility:
        """Whether `value` is a TXT value of `name`, or of the name its CNAMEs lead to.

        Each authoritative nameserver of the zone is asked, or each recursive one where only these may be.
        """
        try:
            final = await self._zones.target(name, CnameStrategy.FOLLOW)
            if self._client.options.recursive_only:
                reasons = await self._missing_at_recursive(final, value)
            else:
                reasons = await self._missing_at_authoritative(await self._zones.zone(final), final, value)
        except DnsFailure as failure:
            return NotYet(f"The TXT record {name} could not be looked up: {failure}")
        if reasons:
            return NotYet(f"The TXT record {final} is not visible everywhere yet: {'; '.join(reasons)}")
        return Propagated()

    async def _missing_at_recursive(self, name: str, value: str) -> list[str]:
        servers = self._client.options.recursive_nameservers
        found = await asyncio.gather(*(self._missing_at([server], server, name, value) for server in servers))
        return [reason for reason in found if reason]

    async def _missing_at_authoritative(self, zone: str, name: str, value: str) -> list[str]:
        answer = await self._client.recursive(zone, "NS")
        hosts = targets(answer, zone, "NS")[:MOST_NAMESERVERS]
        if not hosts:
            raise DnsFailure(f"zone {zone} has no NS records")
        found = await asyncio.gather(*(self._missing_at_host(host, name, value) for host in hosts))
        return [reason for reason in found if reason]

    async def _missing_at_host(self, host: str, name: str, value: str) -> str:
        try:
            servers = await self._addresses(host)
        except DnsFailure as failure:
            return f"nameserver {host} has no address: {failure}"
        return await self._missing_at(servers, host.rstrip("."), name, value, recursion=False)

    async def _addresses(self, host: str) -> list[str]:
        replaced = self._client.options.authoritative_addresses.get(host.rstrip("."))
        if replaced is not None:
            return [replaced]
        found: list[str] = []
        reasons: list[str] = []
        for kind, form in (("A", "{}:53"), ("AAAA", "[{}]:53")):
            try:
                answer = await self._client.recursive(host, kind)
            except DnsFailure as failure:
                reasons.append(str(failure))
            else:
                found += [form.format(address) for address in targets(answer, host, kind)]
        if not found:
            raise DnsFailure("; ".join(reasons) or "it has neither A nor AAAA records")
        return found

    async def _missing_at(
        self, servers: list[str], shown: str, name: str, value: str, *, recursion: bool = True
    ) -> str:
        """Empty where the first of a nameserver's addresses that answers has the value; else the reason."""
        reason = f"{shown} was not asked"
        for server in servers:
            try:
                answer = await self._client.ask(server, name, "TXT", recursion)
            except DnsFailure as failure:
                reason = str(failure) if shown == server else f"{shown}: {failure}"
                continue
            return "" if value in texts(answer, name) else f"{shown} does not have the value"
        return reason
