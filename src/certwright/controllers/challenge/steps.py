"""The steps of an active Challenge: present, look, accept, wait for the CA."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from certwright.acme.protocol import flow, messages
from certwright.api import acme_v1 as acme
from certwright.api.meta import parse_duration
from certwright.api.wellknown import AcmeEvent
from certwright.cluster.cluster import Cluster
from certwright.controllers.challenge.reports import ChallengeReports, has_finalizer, stable
from certwright.controllers.challenge.solving import Solving
from certwright.errors import Blocked, Retry
from certwright.issuers.acme.clients import Account
from certwright.rules.acme_orders import state_of
from certwright.solvers.base import NotYet

FIRST_LOOK = timedelta(seconds=1)
# Some CAs leave a challenge pending while they check it: it is offered once more only when nothing came of that.
ACCEPTED_AGAIN_AFTER = timedelta(minutes=2)
SUCCESS = "Successfully authorized domain"


class Progress(Struct, frozen=True):
    """How far this process has come; after a restart a Challenge begins again, which changes nothing."""

    looks: int = 0
    accepted_at: datetime | None = None


class Steps:
    """One call makes one step, and says when the next is due; None where a write leads to it."""

    def __init__(self, cluster: Cluster, solving: Solving, reports: ChallengeReports) -> None:
        self._cluster = cluster
        self._solving = solving
        self._reports = reports
        self._progress: dict[str, Progress] = {}

    def forget(self, uid: str) -> None:
        """The Challenge of that uid is done."""
        self._progress.pop(uid, None)

    async def prepare(self, challenge: acme.Challenge) -> bool:
        """Whether the Challenge is marked and held, so that whatever is put in place will be taken away again."""
        if not challenge.status.processing:
            await self._reports.write(challenge, replace(challenge.status, processing=True, state="pending"))
            self._reports.tell(challenge, "Normal", AcmeEvent.STARTED, "Challenge scheduled for processing")
            return False
        if not has_finalizer(challenge):
            await self._reports.hold(challenge)
            return False
        return True

    async def step(self, challenge: acme.Challenge, account: Account) -> datetime | None:
        """The next step; raises what the ACME client raises, `Retry` and `Blocked`."""
        progress = self._progress.get(challenge.metadata.uid)
        if progress is None:
            return await self._begin(challenge, account)
        if progress.accepted_at is None:
            return await self._look(challenge, progress, account)
        return await self._wait(challenge, progress, account)

    async def fail(self, challenge: acme.Challenge, state: acme.State, reason: str) -> None:
        """The Challenge has failed."""
        await self._reports.write(challenge, replace(challenge.status, state=state, reason=stable(reason)))
        self._reports.tell(
            challenge, "Warning", AcmeEvent.FAILED, stable(f"Accepting challenge authorization failed: {reason}")
        )

    async def explain(self, challenge: acme.Challenge, reason: str) -> None:
        """Why the Challenge does not get on."""
        await self._reports.write(challenge, replace(challenge.status, reason=stable(reason)))

    async def _begin(self, challenge: acme.Challenge, account: Account) -> datetime | None:
        authorization = await account.client.get_authorization(challenge.spec.authorization_url)
        step = self._of(authorization, challenge)
        if await self._ended(challenge, step):
            return None
        await self._present(challenge)
        now = self._cluster.clock.now()
        # The CA may be looking already: the answer of before a restart is there again.
        accepted_at = now if isinstance(step, flow.LookAgain) else None
        if not challenge.status.presented:
            await self._reports.write(challenge, replace(challenge.status, presented=True, presented_at=now, reason=""))
            text = f"Presented challenge using {challenge.spec.type} challenge mechanism"
            self._reports.tell(challenge, "Normal", AcmeEvent.PRESENTED, text)
        self._progress[challenge.metadata.uid] = Progress(accepted_at=accepted_at)
        return now + FIRST_LOOK

    async def _look(self, challenge: acme.Challenge, progress: Progress, account: Account) -> datetime | None:
        now = self._cluster.clock.now()
        wait = challenge.spec.solver.wait_instead_of_self_check
        if wait is not None:
            ready_at = (challenge.status.presented_at or now) + parse_duration(wait)
            if now < ready_at:
                return ready_at
        else:
            delay = self._delay(progress.looks)
            if progress.looks and delay == self._cluster.settings.challenge_retry_period:
                # Whatever somebody has removed meanwhile comes back.
                await self._present(challenge)
            visibility = await self._solving.check(challenge)
            if isinstance(visibility, NotYet):
                self._progress[challenge.metadata.uid] = Progress(looks=progress.looks + 1)
                waiting = f"Waiting for {challenge.spec.type} challenge propagation: {visibility.reason}"
                await self.explain(challenge, waiting)
                return self._cluster.clock.now() + self._delay(progress.looks + 1)
        return await self._accept(challenge, account)

    async def _accept(self, challenge: acme.Challenge, account: Account) -> datetime:
        await account.client.accept_challenge(challenge.spec.url)
        now = self._cluster.clock.now()
        self._progress[challenge.metadata.uid] = Progress(accepted_at=now)
        return now + FIRST_LOOK

    async def _wait(self, challenge: acme.Challenge, progress: Progress, account: Account) -> datetime | None:
        authorization = await account.client.get_authorization(challenge.spec.authorization_url, "wait_authorization")
        step = self._of(authorization, challenge)
        if await self._ended(challenge, step):
            return None
        now = self._cluster.clock.now()
        assert progress.accepted_at is not None
        if isinstance(step, flow.LookAgain):
            return now + step.after
        if now - progress.accepted_at >= ACCEPTED_AGAIN_AFTER:
            return await self._accept(challenge, account)
        return now + (authorization.retry_after or flow.USUAL_PACE)

    async def _present(self, challenge: acme.Challenge) -> None:
        try:
            await self._solving.present(challenge)
        except (Retry, Blocked) as error:
            self._reports.tell(
                challenge, "Warning", AcmeEvent.PRESENT_ERROR, stable(f"Error presenting challenge: {error}")
            )
            await self.explain(challenge, str(error))
            raise

    async def _ended(self, challenge: acme.Challenge, step: flow.AuthorizationStep) -> bool:
        name = challenge.spec.dns_name
        match step:
            case flow.Granted():
                await self._reports.write(challenge, replace(challenge.status, state="valid", reason=SUCCESS))
                text = f'Domain "{name}" verified with "{challenge.spec.type}" validation'
                self._reports.tell(challenge, "Normal", AcmeEvent.DOMAIN_VERIFIED, text)
                return True
            case flow.Failed(state, problem):
                why = str(problem) if problem is not None else f"the authorization is {state}"
                await self.fail(
                    challenge,
                    state_of(state),
                    f"Error accepting authorization: acme: authorization error for {name}: {why}",
                )
                return True
        return False

    def _of(self, authorization: messages.Authorization, challenge: acme.Challenge) -> flow.AuthorizationStep:
        return flow.next_for_authorization(authorization, challenge.spec.url, self._cluster.clock.now())

    def _delay(self, looks: int) -> timedelta:
        """Soon at first, then less and less often."""
        return min(FIRST_LOOK * (1 << min(looks, 10)), self._cluster.settings.challenge_retry_period)
