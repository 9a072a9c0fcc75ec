"""OpenAPI documents, built when they are asked for and kept until what is served changes."""

from __future__ import annotations

import hashlib

from aiohttp import web

from certwright.apiserver import objects
from certwright.apiserver.http.accept import clauses
from certwright.apiserver.http.answers import reply
from certwright.apiserver.openapi import v2_document, v3_document
from certwright.apiserver.served import Served
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.status import NotAcceptable

_YEAR = "public, max-age=31536000, immutable"


class OpenApiPages:
    """`/openapi/v2` and `/openapi/v3`."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._kept: dict[str, bytes] = {}
        served.on_change(self._kept.clear)

    async def answer(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse | None:
        """The document for the path below `/openapi`, or None."""
        match parts:
            case ["v2"]:
                _check_json(request)
                return await _tagged(request, self._body("v2"))
            case ["v3"]:
                return await _tagged(request, objects.encode(self._index()))
            case ["v3", *path] if "/".join(path) in self._paths():
                return await self._version(request, "/".join(path))
        return None

    async def _version(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        response = await _tagged(request, self._body(path))
        if f"hash={_digest(self._body(path))}" in request.raw_path:
            response.headers["Cache-Control"] = _YEAR
        return response

    def _paths(self) -> list[str]:
        versions = self._served.versions()
        return [
            f"apis/{group}/{version}" if group else f"api/{version}"
            for group in versions
            for version in versions[group]
        ]

    def _index(self) -> JSONObject:
        paths: dict[str, JSON] = {}
        for path in self._paths():
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={_digest(self._body(path))}"}
        return {"paths": paths}

    def _body(self, path: str) -> bytes:
        kept = self._kept.get(path)
        if kept is None:
            definitions = self._served.all()
            group_version = path.partition("/")[2]
            document = v2_document(definitions) if path == "v2" else v3_document(group_version, definitions)
            kept = self._kept[path] = objects.encode(document)
        return kept


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest().upper()


def _check_json(request: web.BaseRequest) -> None:
    accepted = clauses(request.headers.get("Accept", "*/*"))
    if not any(media in {"application/json", "*/*", "application/*"} for media, _ in accepted):
        raise NotAcceptable.of("only the following media types are accepted: application/json")


async def _tagged(request: web.BaseRequest, body: bytes) -> web.Response:
    tag = f'"{_digest(body)}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    response = await reply(request, body)
    response.headers["ETag"] = tag
    response.headers["Vary"] = "Accept"
    return response
