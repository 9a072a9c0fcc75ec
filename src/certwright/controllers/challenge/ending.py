"""The end of a Challenge: the answer is taken away, and the Challenge may go."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api.wellknown import AcmeEvent
from certwright.controllers.challenge.reports import ChallengeReports, has_finalizer, stable
from certwright.controllers.challenge.solving import CredentialsMissing, Solving
from certwright.errors import Blocked, Retry


class Ending:
    """Works on what was begun here: who may not write statuses cannot have a record deleted by a made-up Challenge."""

    def __init__(self, solving: Solving, reports: ChallengeReports) -> None:
        self._solving = solving
        self._reports = reports

    async def tidy(self, challenge: acme.Challenge) -> None:
        """A Challenge in a final state is cleaned up and released."""
        if not has_finalizer(challenge):
            return
        if _was_begun(challenge):
            await self._clean_up(challenge)
            if challenge.status.state != "valid":
                # This one stays to be read. The write comes back as a change, and the next pass releases it.
                await self._reports.write(challenge, replace(challenge.status, processing=False, presented=False))
                return
        await self._reports.release(challenge)

    async def let_go(self, challenge: acme.Challenge) -> None:
        """A Challenge that is being deleted is cleaned up and released.

        It goes all the same where its credentials are gone or its settings wrong for good, since its namespace could
        never be removed, and where nothing was put in place and the cloud refuses to be asked.
        """
        if not has_finalizer(challenge):
            return
        if _was_begun(challenge):
            try:
                await self._clean_up(challenge)
            except (Retry, Blocked) as error:
                is_hopeless = isinstance(error, CredentialsMissing | Blocked)
                if challenge.status.presented and not is_hopeless:
                    raise
                if challenge.status.presented:
                    text = f"The answer of the challenge stays in place; remove it by hand: {error}"
                    self._reports.tell(challenge, "Warning", AcmeEvent.CLEAN_UP_ERROR, stable(text))
        await self._reports.release(challenge)

    async def _clean_up(self, challenge: acme.Challenge) -> None:
        try:
            await self._solving.clean_up(challenge)
        except (Retry, Blocked) as error:
            text = f"Error cleaning up challenge: {error}"
            self._reports.tell(challenge, "Warning", AcmeEvent.CLEAN_UP_ERROR, stable(text))
            raise


def _was_begun(challenge: acme.Challenge) -> bool:
    return challenge.status.processing or challenge.status.presented
