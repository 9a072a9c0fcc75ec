"""DNS-01 from a name and a value to a record: present, check and clean up, without Kubernetes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from certwright.clock import Clock
from certwright.errors import Retry
from certwright.rest import SecretText, Transport
from certwright.solvers.base import Visibility
from certwright.solvers.dns01.base import DnsProvider, Tools, TxtRecord
from certwright.solvers.dns01.block import ProviderBlock
from certwright.solvers.dns01.client import DnsClient, DnsFailure, DnsOptions
from certwright.solvers.dns01.propagation import Propagation
from certwright.solvers.dns01.registry import providers, settings
from certwright.solvers.dns01.zones import Zones, challenge_name

MOST_VIEWS = 32


class Dns01Challenge(Struct, frozen=True, kw_only=True):
    """What is to be proved: `value` is the Challenge's `spec.key`, the digest that goes into the record.

    `secrets` holds, under `SecretRef.field`, the value of each of the block's `secret_refs`. `ambient` says whether
    credentials of the machine may be used where the block has none.
    """

    identifier: str
    value: str
    block: ProviderBlock
    secrets: Mapping[str, SecretText] = {}
    ambient: bool = False


class Dns01Options(Struct, frozen=True, kw_only=True):
    """Which nameservers are asked; `endpoints` replaces the base URL of a provider's API, by the provider's key."""

    dns: DnsOptions = DnsOptions()
    endpoints: Mapping[str, str] = {}


class _View(Struct, frozen=True):
    """DNS as one set of recursive nameservers shows it."""

    zones: Zones
    propagation: Propagation


class Dns01Solver:
    """Safe to share and to call at once for many challenges; each call may be repeated.

    `Retry` says what failed in a sentence for the status, `Blocked` (`InvalidSolver`) that the issuer must change.
    """

    def __init__(self, transport: Transport, clock: Clock, options: Dns01Options) -> None:
        self._transport = transport
        self._clock = clock
        self._options = options
        self._views: OrderedDict[tuple[str, ...], _View] = OrderedDict()

    async def present(self, challenge: Dns01Challenge) -> None:
        """The record is written, beside other values of its name."""
        provider, record = await self._found(challenge)
        await provider.add(record)

    async def check(self, challenge: Dns01Challenge) -> Visibility:
        """One look whether the value is visible; CNAMEs are followed whatever the strategy, as the CA does."""
        view = self._view(challenge.block.nameservers)
        return await view.propagation.check(challenge_name(challenge.identifier), challenge.value)

    async def clean_up(self, challenge: Dns01Challenge) -> None:
        """The value is gone from the zone; other values of its name stay."""
        provider, record = await self._found(challenge)
        await provider.remove(record)

    async def _found(self, challenge: Dns01Challenge) -> tuple[DnsProvider, TxtRecord]:
        block = challenge.block
        kind = providers()[block.provider]
        tools = Tools(transport=self._transport, endpoints=self._options.endpoints, ambient=challenge.ambient)
        provider = kind.open(settings(block.settings, challenge.secrets), tools)
        zones = self._view(block.nameservers).zones
        try:
            name = await zones.target(challenge_name(challenge.identifier), block.cname_strategy)
            zone = await zones.zone(name)
        except DnsFailure as failure:
            raise Retry(f"the zone of {challenge_name(challenge.identifier)} was not found: {failure}") from failure
        return provider, TxtRecord(zone, name, challenge.value, kind.ttl)

    def _view(self, nameservers: tuple[str, ...]) -> _View:
        """Kept, so that zones are; the nameservers of a solver stand in the place of the process's."""
        view = self._views.get(nameservers)
        if view is None:
            dns = self._options.dns
            chosen = msgspec.structs.replace(dns, recursive_nameservers=nameservers) if nameservers else dns
            client = DnsClient(self._transport, chosen)
            zones = Zones(client, self._clock)
            view = self._views[nameservers] = _View(zones, Propagation(client, zones))
        self._views.move_to_end(nameservers)
        while len(self._views) > MOST_VIEWS:
            self._views.popitem(last=False)
        return view
