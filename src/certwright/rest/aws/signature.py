"""Signature version 4 of requests to AWS."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from certwright.rest.secret_text import SecretText

ALGORITHM = "AWS4-HMAC-SHA256"


class AwsKeys(Struct, frozen=True, kw_only=True):
    """Credentials; the session token is empty where they are no temporary ones."""

    access_key_id: str
    secret_access_key: SecretText
    session_token: SecretText = SecretText("")


class AwsRequest(Struct, frozen=True, kw_only=True):
    """What is signed: `path` as it stands on the wire, `query` not yet encoded, every header given."""

    method: str
    host: str
    path: str = "/"
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Scope(Struct, frozen=True):
    """What a signature is good for."""

    region: str
    service: str


def sign(request: AwsRequest, keys: AwsKeys, scope: Scope, now: datetime) -> dict[str, str | SecretText]:
    """The headers to send: those of the request, and what the signature adds to them."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers: dict[str, str | SecretText] = {"Host": request.host, **request.headers, "X-Amz-Date": stamp}
    if keys.session_token:
        headers["X-Amz-Security-Token"] = keys.session_token
    names, canonical = _canonical(request, headers)
    where = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = "\n".join((ALGORITHM, stamp, where, _digest(canonical.encode())))
    key = f"AWS4{keys.secret_access_key.reveal()}".encode()
    for part in where.split("/"):
        key = _mac(key, part)
    signature = _mac(key, to_sign).hex()
    credential = f"{keys.access_key_id}/{where}"
    headers["Authorization"] = SecretText(
        f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _canonical(request: AwsRequest, headers: Mapping[str, str | SecretText]) -> tuple[str, str]:
    """The names of the signed headers, and the canonical request."""
    values = {name.lower(): _plain(value) for name, value in headers.items()}
    names = ";".join(sorted(values))
    lines = "".join(f"{name}:{' '.join(values[name].split())}\n" for name in sorted(values))
    query = "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in request.query))
    # The path is encoded once more than on the wire, for all services but S3.
    parts = (request.method, quote(request.path, safe="/-_.~"), query, lines, names, _digest(request.body))
    return names, "\n".join(parts)


def _plain(value: str | SecretText) -> str:
    return value.reveal() if isinstance(value, SecretText) else value


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
