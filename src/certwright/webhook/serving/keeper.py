"""Keeps a TLS context supplied with the serving certificate."""

from __future__ import annotations

import logging
import ssl
from datetime import datetime, timedelta

from certwright.clock import Clock
from certwright.pki.authority import KeyPair
from certwright.pki.certificate import parse_certificate
from certwright.pki.errors import PkiError
from certwright.rest import show_certificate
from certwright.webhook.serving.callers import Callers
from certwright.webhook.serving.source import NotYet, Source

# Each look compares with the wall clock, so that the end of a suspend is noticed as soon.
LOOK_AGAIN = timedelta(seconds=10)

log = logging.getLogger(__name__)


class ServingCertificate:
    """Loads what the source gives, now and whenever it changes; connections that are open stay as they are."""

    def __init__(self, context: ssl.SSLContext, source: Source, callers: Callers, clock: Clock) -> None:
        self._context = context
        self._source = source
        self._callers = callers
        self._clock = clock
        self._served: KeyPair | None = None
        self._ends: datetime | None = None
        self._problem = "There is no serving certificate yet; it is being looked for."

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await self._clock.wait(LOOK_AGAIN)

    async def look(self) -> None:
        """Load what is to be served; what is missing is told by `health` and logged once."""
        try:
            self._callers.load(self._context)
            pair = await self._source.look()
            if pair != self._served:
                self._load(pair)
        except NotYet as error:
            if str(error) != self._problem:
                log.warning("the serving certificate waits", extra={"problem": str(error)})
            self._problem = str(error)
        else:
            self._problem = ""

    def _load(self, pair: KeyPair) -> None:
        try:
            facts = parse_certificate(pair.cert_pem)
            show_certificate(self._context, pair.cert_pem, pair.key_pem)
        except (PkiError, ValueError) as error:
            raise NotYet(f"The serving certificate cannot be used: {error}.") from error
        self._served, self._ends = pair, facts.not_after
        log.info(
            "serving certificate loaded", extra={"serial": f"{facts.serial:x}", "ends": facts.not_after.isoformat()}
        )

    def health(self) -> str:
        """Why no client can connect; empty where one can, also while its successor is waited for."""
        if self._ends is None:
            return self._problem
        if self._clock.now() >= self._ends:
            return f"The serving certificate ended at {self._ends.isoformat()}. {self._problem}".rstrip()
        return ""
