"""Leader election by a Lease, compatible with client-go's."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec import Struct

from certwright.api.core import Lease, LeaseSpec
from certwright.api.core_kinds import LEASE
from certwright.api.meta import MalformedObject, MicroTime, ObjectMeta, to_json
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import ApiError, Conflict, NotFound

LOG = logging.getLogger(__name__)
# Waits are up to this much longer, so that candidates do not come all at once.
JITTER = 1.2
# So much longer than its duration a lease may be without renewal before the process counts as stuck.
GRACE = timedelta(seconds=20)


class ElectorOptions(Struct, frozen=True, kw_only=True):
    """Which Lease, who we are, and the three durations (cert-manager's defaults)."""

    namespace: str
    identity: str
    name: str = "cert-manager-controller"
    lease_duration: timedelta = timedelta(seconds=60)
    renew_deadline: timedelta = timedelta(seconds=40)
    retry_period: timedelta = timedelta(seconds=15)


class Elector:
    """Takes part in the election of one leader.

    Other holders are judged by when we saw their Lease change, never by the times in it: clocks may differ.
    """

    def __init__(self, client: KubeClient, clock: Clock, options: ElectorOptions) -> None:
        if not options.lease_duration > options.renew_deadline > options.retry_period * JITTER:
            raise ValueError(
                "The lease duration must be longer than the renew deadline, "
                f"and that longer than {JITTER:g} times the retry period."
            )
        self._client = client
        self._clock = clock
        self._options = options
        self._key = ObjectKey(options.namespace, options.name)
        self._random = random.Random()  # noqa: S311 - spreads load, guards nothing
        self._seen: LeaseSpec | None = None
        self._seen_at = 0.0
        self._version = ""
        self._renewed_at = 0.0
        self._said = ""
        self.is_leader = False
        """Whether we hold the lease."""

    def health(self) -> str:
        """What is wrong: a leader that stopped renewing and did not notice. Empty where all is well."""
        since = timedelta(seconds=self._clock.monotonic() - self._renewed_at)
        if not self.is_leader or since <= self._options.lease_duration + GRACE:
            return ""
        return f"Lease {self._key} was not renewed for {since.total_seconds():.0f} s"

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then `lead` while we hold it; return when `lead` ends, or when the lease was lost.

        `lead` is cancelled when the lease is lost; on any other way out the lease is released.
        """
        await self._win()
        LOG.info("We lead", extra={"lease": str(self._key), "identity": self._options.identity})
        if not await self._reign(lead):
            LOG.error("The lease is lost", extra={"lease": str(self._key), "identity": self._options.identity})

    async def _win(self) -> None:
        while not await self._try_to_hold():
            await self._clock.wait(self._options.retry_period * (1 + self._random.random() * (JITTER - 1)))
        self.is_leader = True

    async def _reign(self, lead: Callable[[], Awaitable[None]]) -> bool:
        """Lead and renew; whether `lead` came to its own end."""
        leading = asyncio.ensure_future(lead())
        renewing = asyncio.ensure_future(self._renew())
        deadline = asyncio.ensure_future(self._past_deadline())
        try:
            await asyncio.wait([leading, renewing, deadline], return_when=asyncio.FIRST_COMPLETED)
            is_over = leading.done()
        finally:
            is_lost = renewing.done() or deadline.done()
            leading.cancel()
            deadline.cancel()
            # The lease is still renewed while what we lead comes to its end in good order.
            await asyncio.gather(leading, return_exceptions=True)
            renewing.cancel()
            await asyncio.gather(renewing, deadline, return_exceptions=True)
            self.is_leader = False
            if not is_lost:
                await self._release()
        if is_over:
            leading.result()
        return is_over

    async def _renew(self) -> None:
        """Keep the lease; return when somebody else has it."""
        while True:
            await self._clock.wait(self._options.retry_period)
            if not await self._try_to_hold() and self._is_held_by_other():
                return

    async def _past_deadline(self) -> None:
        """Return when the last renewal is too long ago, even while a request hangs."""
        while (left := self._renewed_at + self._options.renew_deadline.total_seconds() - self._clock.monotonic()) > 0:
            await self._clock.wait(timedelta(seconds=left))

    async def _try_to_hold(self) -> bool:
        """Take or renew the lease, where it is free or ours; whether we hold it."""
        began = self._clock.monotonic()
        try:
            if not await self._take():
                return False
        except (ApiError, Unreachable, BadConnection, MalformedObject) as error:
            self._complain(str(error))
            return False
        self._renewed_at = began
        self._said = ""
        return True

    async def _take(self) -> bool:
        if self.is_leader and self._version:
            try:
                return await self._write(self._spec())
            except (Conflict, NotFound):
                # Somebody touched it; only a fresh look tells whether it is still ours.
                self._version = ""
        try:
            self._observe(await self._client.get(LEASE, self._key))
        except NotFound:
            return await self._create()
        return not self._is_held_by_other() and await self._write(self._spec())

    async def _create(self) -> bool:
        self._seen = None
        metadata = ObjectMeta(name=self._key.name, namespace=self._key.namespace)
        lease = Lease(metadata=metadata, spec=self._spec())
        self._observe(await self._client.create(LEASE, lease, self._key.namespace))
        return True

    def _is_held_by_other(self) -> bool:
        seen = self._seen
        if seen is None or not seen.holder_identity or seen.holder_identity == self._options.identity:
            return False
        # client-go counts its own duration; the holder's counts too where it is longer.
        theirs = timedelta(seconds=seen.lease_duration_seconds or 0)
        longest = max(self._options.lease_duration, theirs).total_seconds()
        return self._seen_at + longest > self._clock.monotonic()

    def _spec(self) -> LeaseSpec:
        """Our claim as of now."""
        now, seen = MicroTime.of(self._clock.now()), self._seen
        is_renewal = seen is not None and seen.holder_identity == self._options.identity
        transitions = 0 if seen is None else (seen.lease_transitions or 0) + (not is_renewal)
        return LeaseSpec(
            holder_identity=self._options.identity,
            lease_duration_seconds=int(self._options.lease_duration.total_seconds()),
            acquire_time=seen.acquire_time if seen is not None and is_renewal else now,
            renew_time=now,
            lease_transitions=transitions,
        )

    async def _write(self, spec: LeaseSpec) -> bool:
        """Refused (`Conflict`) where the lease is not as we saw it."""
        patch: JSONObject = {"metadata": {"resourceVersion": self._version}, "spec": to_json(spec)}
        self._observe(await self._client.merge_patch(LEASE, self._key, patch))
        return True

    def _observe(self, lease: Lease) -> None:
        self._version = lease.metadata.resource_version
        if lease.spec != self._seen:
            self._seen, self._seen_at = lease.spec, self._clock.monotonic()

    async def _release(self) -> None:
        """Let others have it at once."""
        now = MicroTime.of(self._clock.now())
        left = to_json(LeaseSpec(lease_duration_seconds=1, acquire_time=now, renew_time=now))
        patch: JSONObject = {
            "metadata": {"resourceVersion": self._version},
            "spec": {**left, "holderIdentity": None},
        }
        try:
            self._observe(await self._client.merge_patch(LEASE, self._key, patch))
        except (ApiError, Unreachable, BadConnection) as error:
            LOG.warning("The lease is not released", extra={"lease": str(self._key), "problem": str(error)})
        self._version = ""

    def _complain(self, words: str) -> None:
        if words != self._said:
            self._said = words
            LOG.warning("The lease cannot be held", extra={"lease": str(self._key), "problem": words})
