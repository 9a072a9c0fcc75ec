"""Who calls: by Unix socket, client certificate or bearer token."""

from __future__ import annotations

import csv
import hmac
import ssl
from pathlib import Path
from typing import cast

from aiohttp import web

from certwright.apiserver.auth.tokens import TokenKeeper
from certwright.apiserver.caller import ANONYMOUS, MASTERS, Caller
from certwright.apiserver.options import StartError
from certwright.kube.wire.status import Unauthorized

AUTHENTICATED = "system:authenticated"
_LOCAL = Caller("system:local", (MASTERS, AUTHENTICATED))


class Authenticator:
    """Knows the static tokens and the key of the issued ones."""

    def __init__(self, static: dict[str, Caller], tokens: TokenKeeper) -> None:
        self._static = static
        self._tokens = tokens

    def caller(self, request: web.BaseRequest) -> Caller:
        """Who sent a request; anonymous without credentials, Unauthorized with wrong ones."""
        transport = request.transport
        tls = transport.get_extra_info("ssl_object") if transport else None
        if tls is None:
            return _LOCAL
        header = request.headers.get("Authorization", "")
        if header[:7].lower() == "bearer ":
            found = self.token_caller(header[7:].strip())
            if found is None:
                raise Unauthorized.of("Unauthorized")
            return found
        if header:
            raise Unauthorized.of("Unauthorized")
        return _of_certificate(tls)

    def token_caller(self, token: str, audiences: tuple[str, ...] = ()) -> Caller | None:
        """Whom a bearer token names; None where it is not ours, has ended, or is for others."""
        for known, caller in self._static.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                return caller
        return self._tokens.caller(token, audiences)


def _of_certificate(tls: ssl.SSLObject) -> Caller:
    # The handshake has checked the chain; without a certificate this is empty.
    certificate = tls.getpeercert()
    if not certificate:
        return ANONYMOUS
    name, groups = "", []
    subject = cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("subject", ()))
    for field, value in (pair for part in subject for pair in part):
        if field == "commonName":
            name = value
        elif field == "organizationName":
            groups.append(value)
    return Caller(name, (*groups, AUTHENTICATED)) if name else ANONYMOUS


def read_token_file(path: Path | None) -> dict[str, Caller]:
    """The static tokens: token,user,uid[,"group1,group2"] a line. Raises StartError."""
    if path is None:
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, skipinitialspace=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StartError(f"The token file {path} cannot be read: {error}. Check its path and form.") from error
    found: dict[str, Caller] = {}
    for number, row in enumerate(rows, 1):
        if len(row) < 3 or not row[0] or not row[1]:
            raise StartError(f'Line {number} of {path} must be token,user,uid or token,user,uid,"group1,group2".')
        groups = tuple(group.strip() for group in row[3].split(",") if group.strip()) if len(row) > 3 else ()
        found[row[0]] = Caller(row[1], (*groups, AUTHENTICATED), row[2])
    return found
