"""Paths that are no resources: health, version, discovery, OpenAPI, the keys of tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from aiohttp import web
from msgspec import Struct

from certwright.apiserver import objects
from certwright.apiserver.http.accept import clauses
from certwright.apiserver.http.answers import plain, reply
from certwright.apiserver.http.discovery import AGGREGATED, Discovery
from certwright.apiserver.http.openapi_pages import OpenApiPages
from certwright.kube.wire.json import JSON, JSONObject

_PATHS = (
    "/.well-known/openid-configuration",
    "/healthz",
    "/healthz/ping",
    "/livez",
    "/livez/ping",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/readyz",
    "/readyz/ping",
    "/version",
)
_HEALTH = frozenset({"healthz", "livez", "readyz"})
MAJOR, MINOR = "1", "36"
GIT_VERSION = f"v{MAJOR}.{MINOR}.0+certwright"
# What a real server tells of its build, as far as it means anything here.
VERSION: JSONObject = {
    "major": MAJOR,
    "minor": MINOR,
    "emulationMajor": MAJOR,
    "emulationMinor": MINOR,
    "gitVersion": GIT_VERSION,
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "cpython",
    "platform": "linux/amd64",
}


class TokenPages(Struct, frozen=True):
    """What verifiers of tokens ask for."""

    issuer: str
    keys: Callable[[], JSONObject]


class Pages:
    """Answers to all paths that name no resource."""

    def __init__(self, discovery: Discovery, openapi: OpenApiPages, tokens: TokenPages) -> None:
        self._discovery = discovery
        self._openapi = openapi
        self._tokens = tokens
        self.is_ready = False

    async def answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse | None:
        """The page, or None where there is none."""
        parts = [part for part in path.split("/") if part]
        if request.method not in {"GET", "HEAD"} or len(parts) > 5:
            return None
        match parts:
            case [name, *_] if name in _HEALTH:
                return self._health(request, name)
            case ["openapi", *rest]:
                return await self._openapi.answer(request, rest)
            case ["api"] | ["apis"] if form := _aggregated_form(request):
                document = self._discovery.aggregated(form, core=parts == ["api"])
                return await _document(
                    request, document, f"application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
                )
        found = self._find(request, parts)
        return None if found is None else await reply(request, objects.encode(found))

    def _find(self, request: web.BaseRequest, parts: list[str]) -> JSONObject | None:
        match parts:
            case ["api", *rest]:
                return self._core(request, rest)
            case ["apis", *rest]:
                return self._groups(rest)
            case []:
                paths: list[JSON] = [*sorted([*self._discovery.paths(), *_PATHS])]
                return {"paths": paths}
            case ["version"]:
                return VERSION
            case [".well-known", "openid-configuration"]:
                return self._issuer(request)
            case _:
                return self._tokens.keys() if parts == ["openid", "v1", "jwks"] else None

    def _core(self, request: web.BaseRequest, rest: list[str]) -> JSONObject | None:
        if not rest:
            return self._discovery.core_versions(request.headers.get("Host", ""))
        return self._discovery.resources("", rest[0]) if len(rest) == 1 else None

    def _groups(self, rest: list[str]) -> JSONObject | None:
        match rest:
            case []:
                return self._discovery.groups()
            case [group]:
                return self._discovery.group(group)
            case [group, version]:
                return self._discovery.resources(group, version)
            case _:
                return None

    def _health(self, request: web.BaseRequest, name: str) -> web.Response:
        if name == "readyz" and not self.is_ready:
            return plain("[-]startup failed: not ready yet\nreadyz check failed", 500)
        if "verbose" in request.raw_path.partition("?")[2]:
            return plain(f"[+]ping ok\n[+]storage ok\n{name} check passed\n")
        return plain("ok")

    def _issuer(self, request: web.BaseRequest) -> JSONObject:
        return {
            "issuer": self._tokens.issuer,
            "jwks_uri": f"https://{request.headers.get('Host', '')}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }


def _aggregated_form(request: web.BaseRequest) -> str:
    for media, parameters in clauses(request.headers.get("Accept", "")):
        if media not in {"application/json", "*/*"}:
            continue
        if parameters.get("as") != "APIGroupDiscoveryList":
            return ""
        if parameters.get("g") == "apidiscovery.k8s.io" and parameters.get("v") in AGGREGATED:
            return parameters["v"]
    return ""


async def _document(request: web.BaseRequest, document: JSONObject, media: str) -> web.Response:
    body = objects.encode(document)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32].upper()}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    response = await reply(request, body, media=media)
    response.headers["ETag"] = tag
    response.headers["Vary"] = "Accept"
    return response
