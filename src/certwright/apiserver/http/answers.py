"""Answers as HTTP responses: JSON or YAML, gzip where it pays, warnings, and Status for refusals."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

import msgspec
import yaml
from aiohttp import web

from certwright.kube.wire.status import ApiError, Status, StatusDetails

JSON_TYPE = "application/json"
# Below this the time to compress costs more than the bytes.
LEAST_COMPRESSED = 128 * 1024
_LONGEST_WARNING = 256
_MOST_WARNING_BYTES = 4096


async def reply(
    request: web.BaseRequest, body: bytes, code: int = 200, warnings: Sequence[str] = (), media: str = JSON_TYPE
) -> web.Response:
    """An answer with a body; YAML where `media` says so (the body is JSON in any case)."""
    headers = {"Content-Type": media, "Cache-Control": "no-cache, private"}
    if media == "application/yaml":
        body = yaml.safe_dump(msgspec.json.decode(body), sort_keys=True).encode()
    if len(body) >= LEAST_COMPRESSED and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(_gzip, body)
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    response = web.Response(body=body, status=code, headers=headers)
    _add_warnings(response, warnings)
    return response


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def _add_warnings(response: web.Response, warnings: Sequence[str]) -> None:
    left = _MOST_WARNING_BYTES
    for warning in dict.fromkeys(warnings):
        said = " ".join(warning.split())[:_LONGEST_WARNING].replace("\\", "\\\\").replace('"', '\\"')
        left -= len(said)
        if left < 0:
            return
        response.headers.add("Warning", f'299 - "{said}"')


def refusal(error: ApiError) -> web.Response:
    """An error as a Status."""
    headers = {"Content-Type": JSON_TYPE, "Cache-Control": "no-cache, private"}
    if error.retry_after_seconds:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return web.Response(body=encode_status(error), status=error.status.code or 500, headers=headers)


def encode_status(error: ApiError) -> bytes:
    """The JSON of an error's Status."""
    return msgspec.json.encode(error.status)


def success(name: str, group: str, plural: str, uid: str) -> bytes:
    """The Status of a delete that is done."""
    details = StatusDetails(name=name, group=group, kind=plural, uid=uid)
    return msgspec.json.encode(Status(status="Success", details=details))


def plain(text: str, code: int = 200) -> web.Response:
    """A short text, as the health paths give."""
    return web.Response(text=text, status=code, headers={"X-Content-Type-Options": "nosniff"})
