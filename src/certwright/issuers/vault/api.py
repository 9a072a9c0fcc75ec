"""Calls of Vault's HTTP API, with what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

import msgspec
from msgspec import Struct

from certwright.issuers.vault.unready import Unready
from certwright.rest import RestAnswer, RestClient, RestError, RestRequest, SecretText

FORBIDDEN = 403
# Besides the faults of any server: a standby of Vault that has not caught up, or that names the active one.
_PASSING = {307, 412, 472, 473}
# Of sys/health: a standby, a disaster recovery secondary, a performance standby; they pass requests on.
_HEALTHY = {429, 472, 473}
_UNHEALTHY = {501: "is not initialized; initialize and unseal it", 503: "is sealed; unseal it"}
_UNKNOWN_TOKEN = ("invalid token", "bad token")
_DENIED = "permission denied"
_SAFE = "/-_.~@:+"


class Token(Struct, frozen=True):
    """What calls are made with; `lease` is zero where it does not end."""

    text: SecretText
    lease: timedelta = timedelta(0)


class Issued(Struct, frozen=True):
    """The certificates of an answer, as PEM."""

    certificate: str
    issuing_ca: str = ""
    ca_chain: tuple[str, ...] | None = None

    @property
    def pem(self) -> bytes:
        """All of them, in no order."""
        return "\n".join((self.certificate, self.issuing_ca, *(self.ca_chain or ()))).encode()


class _SignAnswer(Struct, frozen=True):
    data: Issued


class _Auth(Struct, frozen=True):
    client_token: str
    lease_duration: int = 0


class _LoginAnswer(Struct, frozen=True):
    auth: _Auth


class _Refusal(Struct, frozen=True):
    errors: list[str]


class VaultApi:
    """One Vault, in one of its namespaces."""

    def __init__(self, client: RestClient, namespace: str = "") -> None:
        self._client = client
        self._headers: dict[str, str | SecretText] = {"X-Vault-Namespace": namespace} if namespace else {}

    async def require_health(self) -> None:
        """Return where Vault serves; Unready otherwise. The path is one of the root namespace."""
        try:
            await self._client.send(RestRequest(method="GET", path="v1/sys/health"))
        except RestError as error:
            if error.status not in _HEALTHY:
                raise Unready(
                    f"Failed to verify that Vault is initialized and unsealed: {_unhealthy(error)}"
                ) from error

    async def log_in(self, path: str, body: Mapping[str, str | SecretText]) -> Token:
        """The token that a login gives."""
        plain = {name: value.reveal() if isinstance(value, SecretText) else value for name, value in body.items()}
        request = RestRequest(method="POST", path=api_path(path), headers=self._headers, json=plain)
        auth = (await self._client.send(request)).json(_LoginAnswer).auth
        return Token(SecretText(auth.client_token), timedelta(seconds=max(auth.lease_duration, 0)))

    async def look_up(self, text: SecretText) -> Token:
        """The token, unless Vault does not know it or cannot answer now (not every token may look itself up)."""
        token = Token(text)
        try:
            await self._call(token, "GET", "auth/token/lookup-self")
        except RestError as error:
            if is_unknown_token(error) or is_passing(error):
                raise
        return token

    async def sign(self, token: Token, path: str, body: Mapping[str, str]) -> Issued:
        """What Vault signs."""
        return (await self._call(token, "POST", path, body)).json(_SignAnswer).data

    async def _call(self, token: Token, method: str, path: str, body: object = msgspec.UNSET) -> RestAnswer:
        headers = {**self._headers, "X-Vault-Token": token.text}
        return await self._client.send(RestRequest(method=method, path=api_path(path), headers=headers, json=body))


def api_path(path: str) -> str:
    """The path below the server's URL; mounts are written with and without the version."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] != ["v1"]:
        parts.insert(0, "v1")
    return quote("/".join(parts), safe=_SAFE)


def is_passing(error: RestError) -> bool:
    """Whether the same request may succeed later: also where something in front of Vault answered in its place."""
    return error.is_passing or error.status in _PASSING or _errors(error.body) is None


def is_unknown_token(error: RestError) -> bool:
    """Whether Vault says that the token is none of its own, or has ended."""
    said = _errors(error.body) or []
    # Before 1.15 Vault says the bare words of an unknown token, and lists them as an error where a policy denies.
    return error.status == FORBIDDEN and (said == [_DENIED] or any(word in " ".join(said) for word in _UNKNOWN_TOKEN))


def words(error: RestError) -> str:
    """What Vault said; never what another server says, which any author of an issuer could read in its status."""
    if error.status == 0 or error.status < 300 or _errors(error.body) is not None:
        return error.message
    return f"the server answered with {error.status} and no error that Vault would write; check spec.vault.server"


def _errors(body: bytes) -> list[str] | None:
    try:
        return msgspec.json.decode(body, type=_Refusal).errors
    except msgspec.DecodeError:
        return None


def _unhealthy(error: RestError) -> str:
    known = _UNHEALTHY.get(error.status)
    return f"Vault {known}" if known else words(error)
