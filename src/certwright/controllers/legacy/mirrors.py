"""Keeps a modern twin beside each legacy object, so that the short names of kubectl show what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple

from certwright.api.core import InvolvedObject
from certwright.api.kinds import LEGACY_CERTIFICATE, Unreadable
from certwright.api.meta import Condition, JSONObject, ObjectMeta, to_json
from certwright.api.wellknown import ConditionType
from certwright.cluster.cluster import Cluster
from certwright.cluster.legacy import LegacyCertificate, LegacyIssuer, LegacySources
from certwright.cluster.twins import KINDS, TwinCaches, about_twin
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.json import decode_object
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, ApiError, Invalid
from certwright.rules.conditions import find_condition, is_true, without_condition
from certwright.rules.hub import CertificateKey, Dialect, IssuerKey
from certwright.rules.mirrors import (
    MIRROR_MANAGER,
    TwinFacts,
    adopted_object,
    certificate_twin,
    digest_of,
    has_original,
    is_mirror,
    issuer_twin,
    refreshed_object,
    shows,
    twin_facts,
    twin_status,
)

NAME = "legacy-mirrors"
log = logging.getLogger(__name__)


class Original(NamedTuple):
    """Which legacy object; `namespace` is empty for a ClusterIssuer."""

    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> ObjectKey:
        """Its key, which is also that of its twin."""
        return ObjectKey(self.namespace, self.name)


class Mirrors:
    """One pass a legacy object: its twin is made, kept the same, or let go when somebody adopts it."""

    def __init__(
        self, cluster: Cluster, sources: LegacySources, twins: TwinCaches, watcher: LoopObserver | None = None
    ) -> None:
        self._client, self._caches = cluster.client, cluster.caches
        self._sources, self._twins = sources, twins
        options = LoopOptions(workers=cluster.settings.parallel_passes)
        self._loop: Loop[Original] = Loop(NAME, self._mirror, cluster.clock, options, watcher)
        self._subscribe()

    async def run(self) -> None:
        """Mirror until cancelled."""
        await self._loop.run()

    async def twin_of(self, about: InvolvedObject) -> InvolvedObject | None:
        """The twin of a legacy object, made if it is not there yet; None where it cannot have one."""
        original = Original(about.kind, about.namespace, about.name)
        try:
            twin = self._twin(original) or await self._made(original)
        except ApiError as error:
            if _is_passing(error):
                raise
            return None  # what is told of the original does not wait for a twin that somebody forbids
        return about_twin(original.kind, twin) if twin is not None and not twin.adopted else None

    def _subscribe(self) -> None:
        caches = self._sources.caches
        self._sources.certificates.subscribe(lambda key: self._loop.add(Original("Certificate", *key[1:])))
        caches.issuers.subscribe(partial(self._changed, "Issuer"))
        caches.cluster_issuers.subscribe(partial(self._changed, "ClusterIssuer"))
        self._caches.certificates.subscribe(partial(self._changed, "Certificate"))
        self._caches.issuers.subscribe(partial(self._changed, "Issuer"))
        self._caches.cluster_issuers.subscribe(partial(self._changed, "ClusterIssuer"))
        for kind, cache in self._twins.by_kind.items():
            cache.subscribe(partial(self._changed, kind))

    def _changed(self, kind: str, change: Change[object]) -> None:
        original = Original(kind, *change.key)
        if self._found(original) is not None:
            self._loop.add(original)

    async def _mirror(self, original: Original) -> datetime | None:
        twin = self._twin(original)
        found = self._found(original)
        if found is None:
            return None
        if twin is None:
            twin = await self._made(original)
        elif twin.adopted:
            await self._let_go(original)
            return None
        if twin is not None:
            twin = await self._same_spec(original, twin)
        if twin is not None:
            await self._same_status(original, found, twin)
        return None

    async def _made(self, original: Original) -> TwinFacts | None:
        """The new twin; None where a modern object of that name is there, or the API takes no such object."""
        wanted = self._wanted(original)
        modern = self._modern(original)
        if modern is not None and has_original(modern):
            await self._let_go(original)  # somebody took our mark off, but the original would still take it along
        if wanted is None or modern is not None:
            return None
        kind = KINDS[original.kind]
        try:
            answer = await self._client.create(kind, wanted, original.namespace, MIRROR_MANAGER)
        except AlreadyExists:
            answer = await self._client.get(kind, original.key)
        except Invalid as error:
            log.info("a legacy object has no twin: its static form is refused: %s", error)
            return None
        self._twins.by_kind[original.kind].remember(answer)
        return twin_facts(answer)

    async def _same_spec(self, original: Original, twin: TwinFacts) -> TwinFacts | None:
        wanted, found = self._wanted(original), self._found(original)
        if wanted is None or found is None:
            return twin
        if all(reference.uid != found.metadata.uid for reference in twin.metadata.owner_references):
            await self._client.delete(KINDS[original.kind], original.key, uid=twin.metadata.uid)
            return None  # of an object that is gone; its deletion brings the next pass
        if digest_of(wanted) == twin.digest:
            return twin
        raw = await self._client.get_raw(KINDS[original.kind].resource.path(*original.key))
        return await self._replaced(original, refreshed_object(decode_object(raw), wanted))

    async def _same_status(self, original: Original, found: LegacyCertificate | LegacyIssuer, twin: TwinFacts) -> None:
        await self._pass_on_renewal(original, found, twin)
        wanted = _status_of(original.kind, found)
        if shows(twin.status, wanted):
            return
        patch: JSONObject = {"metadata": {"uid": twin.metadata.uid}, "status": wanted}
        answer = await self._client.merge_patch(
            KINDS[original.kind], original.key, patch, subresource="status", manager=MIRROR_MANAGER
        )
        self._twins.by_kind[original.kind].remember(answer)

    async def _pass_on_renewal(
        self, original: Original, found: LegacyCertificate | LegacyIssuer, twin: TwinFacts
    ) -> None:
        """A renewal that somebody asks of the twin (`cmctl renew`) is asked of the original."""
        asked = find_condition(twin.status.conditions, ConditionType.ISSUING)
        if original.kind != "Certificate" or asked is None or asked.status != "True" or isinstance(found, Unreadable):
            return
        if is_true(found.status.conditions, ConditionType.ISSUING):
            return
        conditions = [*without_condition(found.status.conditions, ConditionType.ISSUING), asked]
        patch: JSONObject = {
            "metadata": {"resourceVersion": found.metadata.resource_version},
            "status": {"conditions": [to_json(each) for each in conditions]},
        }
        answer = await self._client.merge_patch(
            LEGACY_CERTIFICATE, original.key, patch, subresource="status", manager=MIRROR_MANAGER
        )
        self._sources.caches.certificates.remember(answer)

    async def _let_go(self, original: Original) -> None:
        """Make the twin an object of its own, with what its new owner gave."""
        raw = await self._client.get_raw(KINDS[original.kind].resource.path(*original.key))
        await self._replaced(original, adopted_object(decode_object(raw)))
        log.info("a twin was taken over by its user: %s %s", original.kind, original.key)

    async def _replaced(self, original: Original, body: JSONObject) -> TwinFacts | None:
        answer = await self._client.update(KINDS[original.kind], original.key, body, manager=MIRROR_MANAGER)
        self._twins.by_kind[original.kind].remember(answer)
        return twin_facts(answer)

    def _twin(self, original: Original) -> TwinFacts | None:
        cache = self._twins.by_kind.get(original.kind)
        return cache.get(original.key) if cache is not None else None

    def _modern(self, original: Original) -> ObjectMeta | None:
        """The metadata of a modern object of that name that is no mirror."""
        getters: dict[str, Callable[[ObjectKey], object]] = {
            "Certificate": self._caches.certificates.get,
            "Issuer": self._caches.issuers.get,
            "ClusterIssuer": self._caches.cluster_issuers.get,
        }
        found = getters[original.kind](original.key)
        metadata: ObjectMeta | None = getattr(found, "metadata", None)
        return metadata if metadata is not None and not is_mirror(metadata) else None

    def _found(self, original: Original) -> LegacyCertificate | LegacyIssuer | None:
        """The legacy object; None where it is gone, or going: its twin goes with it."""
        caches = self._sources.caches
        found: LegacyCertificate | LegacyIssuer | None
        if original.kind == "Certificate":
            found = caches.certificates.get(original.key)
        else:
            found = (caches.issuers if original.kind == "Issuer" else caches.cluster_issuers).get(original.key)
        return found if found is not None and found.metadata.deletion_timestamp is None else None

    def _wanted(self, original: Original) -> JSONObject | None:
        """The twin as it is to be; None where the legacy object cannot be read."""
        found = self._found(original)
        if found is None or isinstance(found, Unreadable):
            return None
        if original.kind == "Certificate":
            certificate = self._sources.certificates.get(CertificateKey(Dialect.LEGACY, *original.key))
            return certificate_twin(certificate) if certificate is not None else None
        kind: Literal["Issuer", "ClusterIssuer"] = "Issuer" if original.kind == "Issuer" else "ClusterIssuer"
        issuer = self._sources.issuers.get(IssuerKey(Dialect.LEGACY, kind, *original.key))
        return issuer_twin(issuer) if issuer is not None else None


def _is_passing(error: ApiError) -> bool:
    return error.code >= 500 or error.code in {409, 429}


def _status_of(kind: str, found: LegacyCertificate | LegacyIssuer) -> JSONObject:
    """What the twin shows of the original; that an issuance runs is not shown as a condition."""
    conditions: tuple[Condition, ...] = found.conditions if isinstance(found, Unreadable) else found.status.conditions
    conditions = without_condition(conditions, ConditionType.ISSUING)
    plain = {} if isinstance(found, Unreadable) else to_json(found.status)
    if kind == "Certificate":
        return twin_status(conditions, times={key: plain.get(key) for key in ("notBefore", "notAfter", "renewalTime")})
    account = plain.get("acme")
    return twin_status(conditions, str(account.get("uri") or "") if isinstance(account, dict) else "")
