"""Signed requests: flattened JWS (RFC 7515) with the protected headers of RFC 8555 section 6.2."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import msgspec
from msgspec import Struct

from certwright.acme.protocol import base64url
from certwright.acme.protocol.keys import AccountKey, Jwk, is_signed_by
from certwright.pki.keys import ClassicPublicKey

CONTENT_TYPE = "application/jose+json"
Signer = Callable[[bytes], bytes]

MAC_ALGORITHMS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


class Jws(Struct, frozen=True):
    """A flattened JWS; the members are base64url texts."""

    protected: str
    payload: str
    signature: str

    @property
    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return f"{self.protected}.{self.payload}".encode()


class Protected(Struct, frozen=True, omit_defaults=True):
    """The protected header; exactly one of `jwk` and `kid` is given, `nonce` is empty in inner JWS."""

    alg: str
    url: str
    nonce: str = ""
    kid: str = ""
    jwk: dict[str, str] | None = None


class ExternalAccount(Struct, frozen=True):
    """Credentials that tie a new ACME account to one the CA knows (RFC 8555 section 7.3.4)."""

    key_id: str
    mac_key: bytes
    algorithm: str = "HS256"

    def __repr__(self) -> str:
        return f"ExternalAccount(key_id={self.key_id!r}, algorithm={self.algorithm!r}, mac_key=…)"


def external_account(key_id: str, encoded_mac_key: str, algorithm: str = "HS256") -> ExternalAccount:
    """From the texts that CAs hand out; the key is base64url, padding and white space are forgiven."""
    if algorithm not in MAC_ALGORITHMS:
        raise ValueError(f"the MAC algorithm {algorithm!r} is not known: take HS256, HS384 or HS512")
    try:
        mac_key = base64url.decode(encoded_mac_key.strip().rstrip("="))
    except ValueError:
        raise ValueError("the MAC key of the external account must be base64url, as the CA shows it") from None
    if not mac_key:
        raise ValueError("the MAC key of the external account is empty")
    return ExternalAccount(key_id, mac_key, algorithm)


def sign_request(key: AccountKey, payload: bytes, url: str, nonce: str, kid: str = "") -> bytes:
    """A request body; an empty payload makes a POST-as-GET; without `kid` the JWK travels along."""
    header = Protected(key.algorithm, url, nonce, kid, None if kid else key.jwk)
    return msgspec.json.encode(_sign(header, payload, key.sign))


def sign_external_account(binding: ExternalAccount, jwk: Jwk, url: str) -> Jws:
    """The `externalAccountBinding` of a newAccount request to `url`."""
    digest = MAC_ALGORITHMS[binding.algorithm]
    header = Protected(binding.algorithm, url, kid=binding.key_id)
    return _sign(header, msgspec.json.encode(jwk), lambda text: hmac.digest(binding.mac_key, text, digest))


def sign_key_change(new_key: AccountKey, account_url: str, old_jwk: Jwk, url: str) -> bytes:
    """The inner JWS, as the payload of a key-change request (RFC 8555 section 7.3.5)."""
    payload = msgspec.json.encode({"account": account_url, "oldKey": old_jwk})
    return msgspec.json.encode(_sign(Protected(new_key.algorithm, url, jwk=new_key.jwk), payload, new_key.sign))


def read_jws(body: bytes) -> tuple[Jws, Protected]:
    """The JWS and its protected header, nothing verified; raises `ValueError`."""
    try:
        jws = msgspec.json.decode(body, type=Jws)
        return jws, msgspec.json.decode(base64url.decode(jws.protected), type=Protected)
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("the body is not a flattened JWS with protected header alg, url and jwk or kid") from None


def is_jws_of(jws: Jws, key: ClassicPublicKey) -> bool:
    """Whether the key signed it; raises `ValueError` for a signature that is not base64url."""
    return is_signed_by(key, jws.signed_bytes, base64url.decode(jws.signature))


def has_mac(jws: Jws, algorithm: str, mac_key: bytes) -> bool:
    """Whether the MAC is right; compares in constant time."""
    digest = MAC_ALGORITHMS.get(algorithm)
    if digest is None:
        return False
    return hmac.compare_digest(hmac.digest(mac_key, jws.signed_bytes, digest), base64url.decode(jws.signature))


def _sign(header: Protected, payload: bytes, sign: Signer) -> Jws:
    protected = base64url.encode(msgspec.json.encode(header))
    unsigned = Jws(protected, base64url.encode(payload), "")
    return msgspec.structs.replace(unsigned, signature=base64url.encode(sign(unsigned.signed_bytes)))
