"""The loop over Certificates of both groups: each pass takes one step and reports once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import CertificatePresenter, CertificateSource, Report
from certwright.controllers.certificate import decide as steps
from certwright.controllers.certificate.acts import Acts
from certwright.controllers.certificate.decide import Step, decide
from certwright.controllers.certificate.gather import CertificateView, Gatherer
from certwright.controllers.certificate.readiness import look_again
from certwright.controllers.certificate.wakers import subscribe
from certwright.issuers.base import IssuerType
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.rules.hub import CertificateKey, Dialect

LOG = logging.getLogger(__name__)
CONTESTED = timedelta(minutes=3)
"""How often a Certificate looks whether another one still has its Secret."""


class CertificateController:
    """`sources` and `presenters` of each group that is served; `types` by the name of the field in an issuer's spec."""

    def __init__(
        self,
        cluster: Cluster,
        sources: Mapping[Dialect, CertificateSource],
        presenters: Mapping[Dialect, CertificatePresenter],
        types: Mapping[str, IssuerType],
        watcher: LoopObserver | None = None,
    ) -> None:
        self._cluster = cluster
        self._presenters = presenters
        self._gatherer = Gatherer(cluster, sources, types)
        self._acts = Acts(cluster, self._gatherer)
        options = LoopOptions(workers=cluster.settings.parallel_passes)
        self._loop: Loop[CertificateKey] = Loop(
            "certificates-issuing", self._reconcile, cluster.clock, options, watcher
        )
        self._gatherer.asking.on_answer(self._loop.add)
        self._wakers = subscribe(cluster, sources, self._loop, self._gatherer.authorities)

    @property
    def busy(self) -> int:
        """How many objects wait for a pass or are in one."""
        return len(self._loop)

    async def run(self) -> None:
        """Make passes until cancelled."""
        try:
            await self._loop.run()
        finally:
            self._acts.close()
            self._gatherer.asking.close()

    async def _reconcile(self, key: CertificateKey) -> datetime | None:
        view = await self._gatherer.gather(key)
        if view is None:
            return None
        step = decide(view)
        if LOG.isEnabledFor(logging.DEBUG):
            LOG.debug("step", extra={"certificate": f"{key.namespace}/{key.name}", "step": type(step).__name__})
        taken = await self._acts.take(view, step)
        if taken.report is not None:
            await self._presenters[key.dialect].report(view.certificate, taken.report)
            if taken.ended:
                await self._acts.clear_away(view, taken.report)
        if not view.owns:
            self._wakers.wait_for(view.owner.key, key)
        if taken.retry is not None:
            raise taken.retry
        return self._next_look(view, step, taken.report)

    def _next_look(self, view: CertificateView, step: Step, report: Report | None) -> datetime | None:
        status = view.status if report is None else report.status
        match step:
            case steps.Rest() if not view.owns:
                return view.now + CONTESTED
            case steps.Rest():
                return look_again(view, status, self._gatherer.asking.ask(view.certificate, view.secret, view.issuer))
            case steps.CheckStores():
                return view.now
            case steps.Linger(until):
                return until
            case steps.Begin(in_memory=True):
                return view.now + steps.QUICK
            case _:
                return look_again(view, status)
