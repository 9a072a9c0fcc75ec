"""The HTTP side: `/mutate` and `/validate` over TLS."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from aiohttp import web

from certwright.webhook.admission import Admission
from certwright.webhook.review import (
    LARGEST_REVIEW,
    Answer,
    MalformedReview,
    Question,
    read_review,
    write_answer,
)
from certwright.webhook.serving.callers import Callers, Stranger

LONGEST_READ = timedelta(seconds=30)
# A stopping server waits this long for reviews that are being answered.
GRACE = timedelta(seconds=10)
MUTATE, VALIDATE = "/mutate", "/validate"

log = logging.getLogger(__name__)


class _Unanswered(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class AdmissionServer:
    """Answers reviews of callers that are welcome."""

    def __init__(self, admission: Admission, context: ssl.SSLContext, callers: Callers) -> None:
        self._context = context
        self._callers = callers
        self._pages: Mapping[str, Callable[[Question], Awaitable[Answer]]] = {
            MUTATE: _at_once(admission.mutate),
            VALIDATE: admission.validate,
        }
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; `port` is then the real one. Until there is a certificate, no connection comes about."""
        server = web.Server(self._answer, access_log=None)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=GRACE.total_seconds())
        await runner.setup()
        try:
            await web.TCPSite(runner, host or None, port, ssl_context=self._context).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner, self.port = runner, runner.addresses[0][1]

    async def stop(self) -> None:
        """End when the reviews that came are answered; a second stop does nothing."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._review(request)
        except _Unanswered as error:
            return _text(error.status, str(error))
        except ConnectionError:
            raise
        except Exception:
            # A fault of ours: logged, and the server lives on.
            log.exception("a review failed", extra={"path": request.path})
            return _text(500, "The webhook failed on this review; its log has the reason.")

    async def _review(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        if page is None:
            raise _Unanswered(404, f"There is no {request.path} here; ask {MUTATE} or {VALIDATE}.")
        if request.method != "POST":
            raise _Unanswered(405, "Reviews are posted; use POST.")
        try:
            self._callers.check(request.get_extra_info("peercert"))
            uid, question = read_review(await _body(request))
        except Stranger as error:
            raise _Unanswered(403, str(error)) from error
        except MalformedReview as error:
            raise _Unanswered(400, str(error)) from error
        return web.Response(body=write_answer(uid, await page(question)), content_type="application/json")


def _at_once(answer: Callable[[Question], Answer]) -> Callable[[Question], Awaitable[Answer]]:
    async def page(question: Question) -> Answer:
        return answer(question)

    return page


async def _body(request: web.BaseRequest) -> bytes:
    try:
        async with asyncio.timeout(LONGEST_READ.total_seconds()):
            return await _bounded(request)
    except TimeoutError as error:
        raise _Unanswered(408, f"The review did not come within {LONGEST_READ}; send it again.") from error


async def _bounded(request: web.BaseRequest) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > LARGEST_REVIEW:
            raise _Unanswered(413, f"The review is larger than {LARGEST_REVIEW} bytes; no API server sends such.")
    return bytes(body)


def _text(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=f"{sentence}\n")
