"""Checks every issuer when it, or a Secret that it names, changes; and again in time where its type asks for that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, json_name
from certwright.api.wellknown import ConditionType, IssuerReason
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import IssuerPresenter, IssuerReport
from certwright.controllers.issuer.presenter import MANAGERS
from certwright.controllers.issuer.references import SecretUses
from certwright.errors import Retry
from certwright.issuers.base import IssuerType, Verdict
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.facts import SecretFacts
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey

LOOPS = {"Issuer": "issuers", "ClusterIssuer": "clusterissuers"}
LEGACY_COMPONENT = "cert-manager"
BACKOFF = LoopOptions(first_backoff=timedelta(seconds=5), longest_backoff=timedelta(minutes=5))


class _Settled(Struct, frozen=True):
    """What a pass ended with: an issuer that looks so needs no other pass."""

    uid: str
    spec: cm.IssuerSpec
    status: str
    reason: str


class IssuerController:
    """One loop a kind, over the issuers of all groups. `types` are by the field of the spec that they serve."""

    def __init__(
        self,
        cluster: Cluster,
        types: Mapping[str, IssuerType],
        presenters: Mapping[Dialect, IssuerPresenter],
        watcher: LoopObserver | None = None,
    ) -> None:
        self._cluster = cluster
        self._types = types
        self._presenters = presenters
        self._uses = SecretUses()
        self._settled: dict[IssuerKey, _Settled] = {}
        self._loops: dict[str, Loop[IssuerKey]] = {
            kind: Loop(name, self._pass, cluster.clock, BACKOFF, watcher) for kind, name in LOOPS.items()
        }
        for each in types.values():
            each.on_doubt(self._add)
        cluster.issuers.subscribe(self._on_issuer)
        cluster.caches.secrets.subscribe(self._on_secret)
        cluster.caches.foreign_secrets.subscribe(self._on_foreign_secret)

    @property
    def busy(self) -> int:
        """How many issuers wait for a pass or are in one."""
        return sum(map(len, self._loops.values()))

    async def run(self) -> None:
        """Check until cancelled."""
        async with asyncio.TaskGroup() as group:
            for loop in self._loops.values():
                group.create_task(loop.run())

    def _add(self, key: IssuerKey) -> None:
        self._loops[key.kind].add(key)

    def _on_issuer(self, key: IssuerKey) -> None:
        issuer = self._cluster.issuers.get(key)
        if issuer is None:
            self._uses.forget(key)
            self._settled.pop(key, None)
            return
        self._uses.note(issuer, self._cluster.settings.cluster_resource_namespace)
        if self._settled.get(key) != _settled(issuer, issuer.ready):
            self._add(key)

    def _on_secret(self, change: Change[SecretFacts]) -> None:
        self._on_used(change.key)

    def _on_foreign_secret(self, change: Change[str]) -> None:
        self._on_used(change.key)

    def _on_used(self, secret: ObjectKey) -> None:
        for key in self._uses.of(secret):
            self._add(key)

    async def _pass(self, key: IssuerKey) -> datetime | None:
        issuer = self._cluster.issuers.get(key)
        if issuer is None or issuer.metadata.deletion_timestamp is not None:
            return None
        verdict = await self._verdict(issuer)
        await self._report(issuer, verdict)
        if verdict.retry:
            raise Retry(verdict.message)
        return verdict.look_again

    async def _verdict(self, issuer: HubIssuer) -> Verdict:
        if issuer.problem:
            reason = issuer.problem_reason or IssuerReason.INVALID_CONFIG
            return Verdict(ready=False, reason=reason, message=issuer.problem)
        named = [name for name in issuer.spec.__struct_fields__ if getattr(issuer.spec, name) is not None]
        if len(named) != 1:
            text = "An issuer is of exactly one type; set one of acme, ca, vault, selfSigned and venafi in its spec"
            return Verdict(ready=False, reason=IssuerReason.INVALID_CONFIG, message=text)
        found = self._types.get(named[0])
        if found is None:
            text = f"Issuers of type {json_name(named[0])} are not served by this controller; take one of another type"
            return Verdict(ready=False, reason=IssuerReason.INVALID_CONFIG, message=text)
        try:
            return await found.check(issuer)
        except Retry as problem:
            self._record(issuer, IssuerReason.ERR_INIT_ISSUER, f"Error initializing issuer: {problem.message}")
            raise

    async def _report(self, issuer: HubIssuer, verdict: Verdict) -> None:
        ready = Condition(
            type=ConditionType.READY,
            status="True" if verdict.ready else "False",
            reason=verdict.reason,
            message=verdict.message,
        )
        # Known before it is written: the write itself comes back as a change.
        self._settled[issuer.key] = _settled(issuer, ready)
        changed = issuer.ready is None or (issuer.ready.status, issuer.ready.reason) != (ready.status, ready.reason)
        try:
            await self._presenters[issuer.key.dialect].report(issuer, IssuerReport(ready=ready, acme=verdict.acme))
        except BaseException:
            self._settled.pop(issuer.key, None)
            raise
        if issuer.key.dialect is Dialect.LEGACY:
            return  # its presenter tells the events too, of the twin as well
        for event in verdict.events:
            if changed or event.type == "Warning":
                self._record(issuer, event.reason, event.message, event.type)
        if not verdict.ready and (verdict.retry or verdict.look_again is not None):
            self._record(issuer, IssuerReason.ERR_INIT_ISSUER, f"Error initializing issuer: {verdict.message}")

    def _record(self, issuer: HubIssuer, reason: str, message: str, kind: str = "Warning") -> None:
        component = LEGACY_COMPONENT if issuer.key.dialect is Dialect.LEGACY else MANAGERS[issuer.key.kind]
        self._cluster.recorder.record(
            issuer.about, "Normal" if kind == "Normal" else "Warning", reason, message, component
        )


def _settled(issuer: HubIssuer, ready: Condition | None) -> _Settled:
    status, reason = (ready.status, ready.reason) if ready is not None else ("", "")
    return _Settled(issuer.metadata.uid, issuer.spec, status, reason)
