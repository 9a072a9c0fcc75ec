"""Tokens of service accounts: JWTs (ES256) as TokenRequest gives them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from msgspec import DecodeError, Struct

from certwright.apiserver import objects
from certwright.apiserver.caller import Caller
from certwright.kube.wire.json import JSON, JSONObject

DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local"
_CLAIM = "kubernetes.io"
_LONGEST_TOKEN = 16 * 1024
_COORDINATE = 32


class Account(Struct, frozen=True):
    """The service account that a token is for."""

    namespace: str
    name: str
    uid: str


class Bound(Struct, frozen=True):
    """The object with which a token ends."""

    kind: str
    name: str
    uid: str


# Whether the account (and what the token is bound to) still exists.
IsAlive = Callable[[Account, Bound | None], bool]


class TokenKeeper:
    """Issues and reads tokens."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, now: Callable[[], datetime], is_alive: IsAlive) -> None:
        self._key = key
        self._now = now
        self._is_alive = is_alive
        self.issuer = DEFAULT_ISSUER
        der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self._key_id = _text64(hashlib.sha256(der).digest())

    def issue(self, account: Account, audiences: list[str], lifetime: timedelta, bound: Bound | None = None) -> str:
        """A token for `lifetime` from now."""
        now = int(self._now().timestamp())
        private: JSONObject = {
            "namespace": account.namespace,
            "serviceaccount": {"name": account.name, "uid": account.uid},
        }
        if bound:
            private[bound.kind.lower()] = {"name": bound.name, "uid": bound.uid}
        claims: JSONObject = {
            "aud": list(audiences or [self.issuer]),
            "exp": now + int(lifetime.total_seconds()),
            "iat": now,
            "iss": self.issuer,
            "nbf": now,
            "sub": f"system:serviceaccount:{account.namespace}:{account.name}",
            _CLAIM: private,
        }
        head: JSONObject = {"alg": "ES256", "kid": self._key_id, "typ": "JWT"}
        signed = f"{_text64(objects.encode(head))}.{_text64(objects.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_text64(r.to_bytes(_COORDINATE, 'big') + s.to_bytes(_COORDINATE, 'big'))}"

    def caller(self, token: str, audiences: tuple[str, ...] = ()) -> Caller | None:
        """Whom the token names; None where it is not ours, has ended, or is for other audiences."""
        claims = self._claims(token)
        if claims is None:
            return None
        now = int(self._now().timestamp())
        ends, starts = claims.get("exp"), claims.get("nbf")
        if not isinstance(ends, int) or ends <= now or not isinstance(starts, int) or starts > now + 60:
            return None
        if not set(objects.texts(claims, "aud")) & set(audiences or (self.issuer,)):
            return None
        return self._caller_of(objects.child(claims, _CLAIM))

    def audiences_in(self, token: str, wanted: tuple[str, ...]) -> list[JSON]:
        """Those of the wanted audiences that a token is for; all of them where it is no token of ours."""
        claims = self._claims(token)
        held = objects.texts(claims, "aud") if claims else list(wanted)
        return [audience for audience in wanted if audience in held]

    def _caller_of(self, private: JSONObject) -> Caller | None:
        entry = objects.child(private, "serviceaccount")
        account = Account(objects.text(private, "namespace"), objects.text(entry, "name"), objects.text(entry, "uid"))
        bound = None
        for kind in ("pod", "secret"):
            if kind in private:
                named = objects.child(private, kind)
                bound = Bound(kind.capitalize(), objects.text(named, "name"), objects.text(named, "uid"))
        return service_account(account) if self._is_alive(account, bound) else None

    def _claims(self, token: str) -> JSONObject | None:
        parts = token.split(".")
        if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
            return None
        try:
            signature = _bytes64(parts[2])
            if len(signature) != 2 * _COORDINATE:
                return None
            r, s = int.from_bytes(signature[:_COORDINATE], "big"), int.from_bytes(signature[_COORDINATE:], "big")
            signed = f"{parts[0]}.{parts[1]}".encode()
            self._key.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
            return objects.decode(_bytes64(parts[1]))
        except (InvalidSignature, binascii.Error, DecodeError, ValueError):
            return None

    def keys(self) -> JSONObject:
        """The public key as a JWK set."""
        numbers = self._key.public_key().public_numbers()
        key: JSONObject = {
            "use": "sig",
            "kty": "EC",
            "kid": self._key_id,
            "crv": "P-256",
            "alg": "ES256",
            "x": _text64(numbers.x.to_bytes(_COORDINATE, "big")),
            "y": _text64(numbers.y.to_bytes(_COORDINATE, "big")),
        }
        return {"keys": [key]}


def service_account(account: Account) -> Caller:
    """A service account as a caller."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{account.namespace}", "system:authenticated")
    return Caller(f"system:serviceaccount:{account.namespace}:{account.name}", groups, account.uid)


def _text64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
