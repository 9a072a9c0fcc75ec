"""HTTP answers: headers that every one has, and problem documents for whatever is refused."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

import msgspec
from aiohttp import hdrs, web
from multidict import CIMultiDict

from certwright.acme.protocol import problems
from certwright.acme.protocol.problems import acme_problem
from certwright.acme.server.calls import Reply
from certwright.acme.server.nonces import Nonces
from certwright.acme.server.refusals import Refused, malformed
from certwright.acme.server.views import problem_view

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answers:
    """Makes HTTP of replies and refusals."""

    def __init__(self, nonces: Nonces) -> None:
        self._nonces = nonces
        # aiohttp marks middlewares with an attribute, which a bound method cannot have.
        self.middleware = web.middleware(partial(self._refusing))

    def response(self, reply: Reply, base: str, *, nonce: bool = False) -> web.Response:
        """The answer; to a signed request it carries a nonce (RFC 8555 section 6.5)."""
        headers: CIMultiDict[str] = CIMultiDict(reply.headers)
        headers["Cache-Control"] = "no-store"
        headers.add(hdrs.LINK, f'<{base}/directory>;rel="index"')
        for link in reply.links:
            headers.add(hdrs.LINK, link)
        if nonce:
            headers["Replay-Nonce"] = self._nonces.new()
        body = msgspec.json.encode(reply.view) if reply.view is not None else reply.body
        if body:
            headers[hdrs.CONTENT_TYPE] = reply.content_type
        return web.Response(status=reply.status, body=body or None, headers=headers)

    async def _refusing(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            return self._refusal(request, refusal)
        except web.HTTPException as error:
            return self._refusal(request, _of_http(request, error))
        except Exception:
            log.exception("an ACME request failed", extra={"method": request.method, "path": request.path})
            problem = acme_problem("serverInternal", "the CA failed: look into its log", 500)
            return self._refusal(request, Refused(problem))

    def _refusal(self, request: web.Request, refusal: Refused) -> web.Response:
        view = problem_view(refusal.problem, refusal.members)
        reply = Reply(
            status=refusal.problem.status, view=view, content_type=problems.CONTENT_TYPE, headers=refusal.headers
        )
        return self.response(reply, f"https://{request.host}", nonce=request.method == hdrs.METH_POST)


def _of_http(request: web.Request, error: web.HTTPException) -> Refused:
    match error.status:
        case HTTPStatus.NOT_FOUND:
            return malformed(f"there is nothing at {request.path[:200]}: begin at /directory", error.status)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            refusal = malformed(f"{request.method} is not what {request.path[:200]} takes", error.status)
            refusal.headers["Allow"] = error.headers.get("Allow", "")
            return refusal
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return malformed("the request is too large", error.status)
    return malformed(error.reason or "the request cannot be read", error.status)
