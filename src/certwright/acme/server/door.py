"""The way in: signature, nonce and URL of every POST are checked here (RFC 8555 section 6)."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from certwright.acme.protocol import base64url
from certwright.acme.protocol.jws import Jws, Protected, is_jws_of, read_jws
from certwright.acme.protocol.keys import Jwk, algorithm_of, key_of
from certwright.acme.protocol.messages import Status
from certwright.acme.protocol.problems import acme_problem
from certwright.acme.server.nonces import Nonces
from certwright.acme.server.records import AccountRecord
from certwright.acme.server.refusals import Refused, malformed, refused, unauthorized
from certwright.acme.server.store import Store

ALGORITHMS = ("RS256", "ES256", "ES384", "ES512", "EdDSA")
ACCOUNT_PATH = "/account/"


class Door:
    """Lets in what is signed rightly."""

    def __init__(self, store: Store, nonces: Nonces) -> None:
        self._store = store
        self._nonces = nonces

    def admit(self, body: bytes, url: str) -> tuple[AccountRecord | None, Jwk | None, bytes]:
        """The account or the key that signed, and the payload; raises `Refused`."""
        jws, protected = opened(body)
        check_header(protected, url)
        account, jwk = self._signer(protected)
        check_signature(jws, protected, account.jwk if account else jwk or {})
        if not self._nonces.take(protected.nonce):
            raise refused("badNonce", "the nonce was not given out by this server, or it was used before")
        return account, jwk, payload_of(jws)

    def _signer(self, protected: Protected) -> tuple[AccountRecord | None, Jwk | None]:
        if bool(protected.kid) == (protected.jwk is not None):
            raise malformed("the protected header must have exactly one of jwk and kid")
        if protected.jwk is not None:
            return None, protected.jwk
        # The host is the one by which the client knows us, and may change: only the path names the account.
        name = urlsplit(protected.kid).path.removeprefix(ACCOUNT_PATH)
        account = self._store.get(AccountRecord, name)
        if account is None:
            raise refused("accountDoesNotExist", f"there is no account {protected.kid} at this CA: register one")
        if account.status != Status.VALID:
            raise unauthorized(f"the account {protected.kid} is {account.status}", HTTPStatus.UNAUTHORIZED)
        return account, None


def opened(body: bytes) -> tuple[Jws, Protected]:
    """The JWS and its header; raises `Refused`."""
    try:
        return read_jws(body)
    except ValueError as error:
        raise malformed(str(error)) from error


def check_header(protected: Protected, url: str) -> None:
    """Raise `Refused` for algorithms that are not taken and for another URL than the request's (section 6.4)."""
    if protected.alg not in ALGORITHMS:
        problem = acme_problem(
            "badSignatureAlgorithm", f"the algorithm {protected.alg[:20]!r} is not taken", HTTPStatus.BAD_REQUEST
        )
        raise Refused(problem, members={"algorithms": ALGORITHMS})
    if protected.url != url:
        raise unauthorized(f"the request to {url} is signed for {protected.url[:200]!r}", HTTPStatus.UNAUTHORIZED)


def check_signature(jws: Jws, protected: Protected, jwk: Jwk) -> None:
    """Raise `Refused` unless the key is fit to be used and made the signature."""
    try:
        key = key_of(jwk)
    except ValueError as error:
        raise refused("badPublicKey", f"the key cannot be used: {error}") from error
    try:
        is_right = algorithm_of(key) == protected.alg and is_jws_of(jws, key)
    except ValueError as error:
        raise malformed(f"the signature cannot be read: {error}") from error
    if not is_right:
        raise malformed("the signature is not the key's: sign anew with the key and algorithm of the header")


def payload_of(jws: Jws) -> bytes:
    """The decoded payload; raises `Refused`."""
    try:
        return base64url.decode(jws.payload)
    except ValueError as error:
        raise malformed(f"the payload cannot be read: {error}") from error
