"""The one handler of all requests: who calls, what is asked, whether it is allowed, and the answer."""

from __future__ import annotations

import logging
from collections import Counter

from aiohttp import web

from certwright.apiserver.asked import Asked
from certwright.apiserver.auth.authenticate import Authenticator
from certwright.apiserver.auth.impersonation import impersonated
from certwright.apiserver.auth.rights import AllRights, Rights
from certwright.apiserver.caller import ANONYMOUS, Caller
from certwright.apiserver.http.answers import refusal
from certwright.apiserver.http.pages import Pages
from certwright.apiserver.http.paths import parse_path
from certwright.apiserver.http.query import Query
from certwright.apiserver.http.resources import Inquiry, Resources, no_such_path
from certwright.apiserver.http.reviews import Reviews
from certwright.kube.wire.status import ApiError, Forbidden, InternalError, StatusDetails, Unauthorized

_log = logging.getLogger(__name__)
_OPEN = frozenset({"/healthz", "/livez", "/readyz", "/version"})


class Door:
    """Callable by aiohttp's low-level server."""

    def __init__(
        self, authenticator: Authenticator, authorizer: Rights, pages: Pages, resources: Resources, reviews: Reviews
    ) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._pages = pages
        self._resources = resources
        self._reviews = reviews
        self.counts: Counter[tuple[str, str, str]] = Counter()
        """Requests for resources by (user agent, verb, resource[/subresource])."""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer; every error is a Status."""
        try:
            return await self._answer(request)
        except ApiError as error:
            return refusal(error)
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - a fault of ours: logged, and the server lives on
            _log.exception("a request failed", extra={"method": request.method, "path": request.path})
            return refusal(InternalError.of("The server failed on this request; its log has the reason."))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, text = request.raw_path.partition("?")
        caller = impersonated(request.headers, self._authenticator.caller(request), self._authorizer)
        query = Query(text)
        asked = parse_path(request.method, path, is_watch=query.is_true("watch"))
        if asked is None:
            return await self._page(request, caller, path)
        self._count(request, asked)
        self._refuse_anonymous(caller)
        if not caller.is_master and not self._authorizer.allows(caller, asked):
            raise _forbidden(caller, asked)
        inquiry = Inquiry(request, asked, query, caller)
        review = self._reviews.find(asked)
        return await (review(inquiry) if review else self._resources.answer(inquiry))

    async def _page(self, request: web.BaseRequest, caller: Caller, path: str) -> web.StreamResponse:
        if not _is_open(path):
            self._refuse_anonymous(caller)
        verb = request.method.lower()
        if not _is_open(path) and not caller.is_master and not self._authorizer.allows_path(caller, verb, path):
            raise Forbidden.of(f'forbidden: User "{caller.name}" cannot {verb} path "{path}"')
        page = await self._pages.answer(request, path)
        if page is None:
            raise no_such_path()
        return page

    def _refuse_anonymous(self, caller: Caller) -> None:
        # Where everyone may do everything, everyone must at least be somebody.
        if caller is ANONYMOUS and isinstance(self._authorizer, AllRights):
            raise Unauthorized.of("Unauthorized")

    def _count(self, request: web.BaseRequest, asked: Asked) -> None:
        agent = request.headers.get("User-Agent", "").partition(" ")[0]
        resource = f"{asked.plural}.{asked.group}" if asked.group else asked.plural
        self.counts[agent, asked.verb, f"{resource}/{asked.subresource}" if asked.subresource else resource] += 1


def _is_open(path: str) -> bool:
    return "/" + path.lstrip("/").partition("/")[0] in _OPEN


def _forbidden(caller: Caller, asked: Asked) -> ApiError:
    qualified = f"{asked.plural}.{asked.group}" if asked.group else asked.plural
    plural = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
    scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    what = f'User "{caller.name}" cannot {asked.verb} resource "{plural}" in API group "{asked.group}" {scope}'
    name = f' "{asked.name}"' if asked.name else ""
    details = StatusDetails(name=asked.name, group=asked.group, kind=asked.plural)
    return Forbidden.of(f"{qualified}{name} is forbidden: {what}", details)
