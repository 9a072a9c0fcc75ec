"""CAs are asked when they want certificates renewed: beside the passes, which never wait for a CA."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.clock import Clock, Timer
from certwright.cluster.cluster import Cluster
from certwright.errors import Blocked, Retry
from certwright.issuers.base import IssuerType
from certwright.rules import gates
from certwright.rules.facts import LeafFacts, SecretFacts
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate, HubIssuer, IssuerKey
from certwright.rules.renewal_information import (
    SOONEST_CHECK,
    Unanswered,
    answered,
    is_due,
    leaf_to_ask_about,
    name_of,
    told_before,
    unanswered,
)

LOG = logging.getLogger(__name__)
AT_ONCE = 4
"""How many questions one CA is asked at a time."""
MOST_TRIES = 3
"""How often a question waits for a CA that wants to be left alone before that is told as its failure."""
LONGEST_PAUSE = timedelta(minutes=10)


class Advice(Struct, frozen=True):
    """What a CA has said of a certificate: all that is known, to be told, and what stands in the status, to act on.

    Whoever acts on what is told nowhere yet, and dies, leaves half a renewal behind that the next one cannot explain.
    """

    known: cm.RenewalInformation | None = None
    recorded: cm.RenewalInformation | None = None


class Question(Struct, frozen=True, kw_only=True):
    """One certificate that a CA is to be asked about."""

    key: CertificateKey
    issuer: HubIssuer
    leaf: LeafFacts
    told: cm.RenewalInformation | None
    tries: int = 1


class _Answer(Struct, frozen=True):
    digest: bytes
    found: cm.RenewalInformation


class Asking:
    """Keeps each answer until it stands in a status, which is where it is kept for good."""

    def __init__(self, cluster: Cluster, types: Mapping[str, IssuerType]) -> None:
        self._cluster = cluster
        self._types = types
        self._is_on = gates.ARI in cluster.settings.gates
        self._lines: dict[str, _Line] = {}
        self._asked: set[CertificateKey] = set()
        self._answers: dict[CertificateKey, _Answer] = {}
        self._silent: dict[IssuerKey, str] = {}
        self._wake: Callable[[CertificateKey], None] = lambda _: None

    def on_answer(self, listener: Callable[[CertificateKey], None]) -> None:
        """Call when there is something new to be known of a Certificate."""
        self._wake = listener

    def close(self) -> None:
        """Ask nobody any more; what is not answered is asked again by whoever comes next."""
        for line in self._lines.values():
            line.close()

    def forget(self, key: CertificateKey) -> None:
        """The Certificate is gone."""
        self._answers.pop(key, None)

    def advice(
        self, certificate: HubCertificate, secret: SecretFacts | None, issuer: HubIssuer | None
    ) -> Advice | None:
        """What the CA has said of the certificate in the Secret; None where nobody asks and nothing is to be told."""
        if not self._is_on or certificate.key.dialect is Dialect.LEGACY:
            return None
        leaf = leaf_to_ask_about(certificate, secret, issuer)
        if issuer is None or leaf is None:
            self.forget(certificate.key)
            return Advice()
        told = told_before(certificate.status, leaf, self._cluster.clock.now())
        if self._is_silent(issuer):
            return Advice(recorded=told)
        answer = self._answers.get(certificate.key)
        if answer is None:
            return Advice(told, told)
        if answer.digest == leaf.digest and (told is None or _is_newer(answer.found, told)):
            return Advice(answer.found, told)
        self.forget(certificate.key)
        return Advice(told, told)

    def ask(self, certificate: HubCertificate, secret: SecretFacts | None, issuer: HubIssuer | None) -> datetime | None:
        """Ask where it is time to; the answer wakes a pass. Returns when to try again where nobody can be asked now."""
        advice = self.advice(certificate, secret, issuer)
        if advice is None or issuer is None or issuer.spec.acme is None or self._is_silent(issuer):
            return None
        leaf, now = leaf_to_ask_about(certificate, secret, issuer), self._cluster.clock.now()
        # RFC 9773 section 4.3: nobody asks about a certificate that has ended.
        if leaf is None or leaf.not_after <= now or certificate.key in self._asked or not is_due(advice.known, now):
            return None
        if not issuer.is_ready or issuer.problem:
            return now + SOONEST_CHECK
        self._asked.add(certificate.key)
        server = issuer.spec.acme.server
        if server not in self._lines:
            self._lines[server] = _Line(self._cluster.clock, self._put)
        self._lines[server].add(Question(key=certificate.key, issuer=issuer, leaf=leaf, told=advice.known))
        return None

    def _is_silent(self, issuer: HubIssuer) -> bool:
        """Whether the CA was found to say nothing of renewals, under the address that it has now."""
        return issuer.spec.acme is not None and self._silent.get(issuer.key) == issuer.spec.acme.server

    async def _put(self, question: Question) -> timedelta | None:
        """Put the question; where it is to be put again, for how long the CA wants to be left alone."""
        try:
            found = await self._types["acme"].renewal_info(question.issuer, name_of(question.leaf))
        except Retry as error:
            if error.after is not None and question.tries < MOST_TRIES:
                return min(error.after, LONGEST_PAUSE)
            self._failed(question, Unanswered(error.message, error.after))
        except Blocked as error:
            self._failed(question, Unanswered(error.message, is_refusal=True))
        except Exception:
            LOG.exception("renewal information could not be asked for", extra={"certificate": question.key.name})
            self._failed(question, Unanswered("Asking the CA has failed; the log of the controller says why."))
        else:
            if found is None:
                assert question.issuer.spec.acme is not None
                self._silent[question.issuer.key] = question.issuer.spec.acme.server
                self._ended(question, None)
            else:
                self._ended(question, answered(found, question.told, question.leaf, self._now()))
        return None

    def _failed(self, question: Question, failed: Unanswered) -> None:
        self._ended(question, unanswered(failed, question.told, question.leaf, self._now()))

    def _ended(self, question: Question, found: cm.RenewalInformation | None) -> None:
        self._asked.discard(question.key)
        if found is not None:
            self._answers[question.key] = _Answer(question.leaf.digest, found)
        self._wake(question.key)

    def _now(self) -> datetime:
        return self._cluster.clock.now().replace(microsecond=0)


class _Line:
    """Those who want to ask one CA: a few at a time, and nobody while it wants to be left alone."""

    def __init__(self, clock: Clock, put: Callable[[Question], Awaitable[timedelta | None]]) -> None:
        self._clock = clock
        self._put = put
        self._waiting: deque[Question] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: Timer | None = None
        self._is_open = True

    def add(self, question: Question) -> None:
        """To the end of the line."""
        self._waiting.append(question)
        self._start()

    def close(self) -> None:
        """Nobody is asked any more."""
        self._is_open = False
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    def _start(self) -> None:
        while self._is_open and self._timer is None and self._waiting and len(self._tasks) < AT_ONCE:
            task = asyncio.ensure_future(self._take(self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._start()

    async def _take(self, question: Question) -> None:
        pause = await self._put(question)
        if pause is None or not self._is_open:
            return
        self._waiting.appendleft(replace(question, tries=question.tries + 1))
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + pause, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        self._start()


def _is_newer(answer: cm.RenewalInformation, told: cm.RenewalInformation) -> bool:
    return told.last_checked is None or answer.last_checked is None or told.last_checked < answer.last_checked
