"""What we show the API server: tokens, passwords and client certificates, and how they are renewed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from certwright.clock import Clock
from certwright.kube.client.errors import BadConnection
from certwright.rest import SecretText

# Bound tokens are renewed on disk well before they expire; client-go looks as often.
TOKEN_FILE_EVERY = timedelta(minutes=1)
MOST_TOKEN_BYTES = 1024 * 1024


class KeyPair(Struct, frozen=True):
    """A client certificate and its key, both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "KeyPair([hidden])"


class Proof(Struct, frozen=True):
    """What is shown with a request."""

    authorization: SecretText = SecretText("")
    certificate: KeyPair | None = None


class Anonymous(Struct, frozen=True):
    """Nothing beyond a client certificate, where there is one."""


class BearerToken(Struct, frozen=True):
    """A token that does not change."""

    token: SecretText


class Password(Struct, frozen=True):
    """HTTP basic authentication."""

    user: str
    password: SecretText


class TokenFile(Struct, frozen=True):
    """A token in a file that others renew."""

    path: Path


class ExecCommand(Struct, frozen=True, kw_only=True):
    """A plugin of client-go's exec mechanism; `cluster` is what it is told of the cluster, where it asks for that."""

    api_version: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    install_hint: str = ""
    cluster: Mapping[str, object] | None = None

    def __repr__(self) -> str:
        return f"ExecCommand({self.command})"


Identification = Anonymous | BearerToken | Password | TokenFile | ExecCommand


class Prover(Protocol):
    """Gives the proof for each request."""

    async def proof(self) -> Proof:
        """What to show now; BadConnection where there is none."""

    def refused(self, proof: Proof) -> bool:
        """The server did not accept it (401); whether another proof may now be had."""


class FixedProver:
    """Always the same."""

    def __init__(self, authorization: SecretText) -> None:
        self._proof = Proof(authorization)

    async def proof(self) -> Proof:
        return self._proof

    def refused(self, proof: Proof) -> bool:  # noqa: ARG002 - of the protocol
        return False


class TokenFileProver:
    """Reads the file again each minute, and after a refusal."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._proof = Proof()
        self._until: datetime | None = None

    async def proof(self) -> Proof:
        now = self._clock.now()
        if self._until is None or now >= self._until:
            self._proof = Proof(SecretText(f"Bearer {self._read()}"))
            self._until = now + TOKEN_FILE_EVERY
        return self._proof

    def refused(self, proof: Proof) -> bool:
        if proof != self._proof:
            return True
        self._until = None
        return self._read() != proof.authorization.reveal().removeprefix("Bearer ")

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                token = file.read(MOST_TOKEN_BYTES).decode("ascii").strip()
        except OSError as error:
            raise BadConnection(f"The token file {self._path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise BadConnection(f"The token file {self._path} holds no token: it is not text.") from error
        if not token:
            raise BadConnection(f"The token file {self._path} is empty.")
        return token


def basic(user: str, password: SecretText) -> SecretText:
    """The Authorization header of a user and a password (RFC 7617)."""
    return SecretText("Basic " + base64.b64encode(f"{user}:{password.reveal()}".encode()).decode())
