from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol import base64url, jws
from certwright.acme.protocol.keys import AccountKey, key_of
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate

KEY = AccountKey(generate(KeySpec(KeyAlgorithm.ECDSA, 256)))
OTHER = AccountKey(generate(KeySpec(KeyAlgorithm.ECDSA, 256)))
URL = "https://ca.test/new-order"


def opened(body: bytes) -> tuple[dict[str, object], bytes]:
    outer = json.loads(body)
    return json.loads(base64url.decode(outer["protected"])), base64url.decode(outer["payload"])


def test_the_first_request_carries_the_key() -> None:
    header, payload = opened(jws.sign_request(KEY, b"{}", URL, "nonce-1"))

    assert header == {"alg": "ES256", "url": URL, "nonce": "nonce-1", "jwk": KEY.jwk}
    assert payload == b"{}"


def test_later_requests_name_the_account() -> None:
    header, payload = opened(jws.sign_request(KEY, b"", URL, "nonce-1", "https://ca.test/account/1"))

    assert header == {"alg": "ES256", "url": URL, "nonce": "nonce-1", "kid": "https://ca.test/account/1"}
    assert payload == b""


@settings(deadline=None)
@given(st.binary(max_size=500), st.text(max_size=50))
def test_whatever_is_signed_verifies_with_that_key_alone(payload: bytes, nonce: str) -> None:
    read, protected = jws.read_jws(jws.sign_request(KEY, payload, URL, nonce))

    assert jws.is_jws_of(read, key_of(KEY.jwk))
    assert not jws.is_jws_of(read, key_of(OTHER.jwk))
    assert protected.nonce == nonce
    assert base64url.decode(read.payload) == payload


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_anything_may_arrive(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JWS|base64url"):
        jws.read_jws(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"protected":"e30","payload":"","signature":""}',
        b'{"protected":"!","payload":"","signature":""}',
        b'{"payload":"","signatures":[]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_flattened_jws_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JWS|base64url"):
        jws.read_jws(body)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_an_external_account_binds_the_key(algorithm: str) -> None:
    binding = jws.external_account("kid-1", "c2VjcmV0IGtleQ", algorithm)

    made = jws.sign_external_account(binding, KEY.jwk, "https://ca.test/new-account")

    header = json.loads(base64url.decode(made.protected))
    assert header == {"alg": algorithm, "kid": "kid-1", "url": "https://ca.test/new-account"}
    assert json.loads(base64url.decode(made.payload)) == KEY.jwk
    assert jws.has_mac(made, algorithm, b"secret key")
    assert not jws.has_mac(made, algorithm, b"other key")
    assert not jws.has_mac(made, "none", b"secret key")


@pytest.mark.parametrize("text", ["c2VjcmV0IGtleQ", "c2VjcmV0IGtleQ==", " c2VjcmV0IGtleQ\n"])
def test_mac_keys_are_read_as_cas_show_them(text: str) -> None:
    assert jws.external_account("kid-1", text).mac_key == b"secret key"


@pytest.mark.parametrize(
    ("text", "algorithm", "words"),
    [("", "HS256", "empty"), ("a b", "HS256", "base64url"), ("AAAA", "RS256", "HS256, HS384 or HS512")],
)
def test_unusable_external_accounts_are_refused_without_their_key(text: str, algorithm: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        jws.external_account("kid-1", text, algorithm)

    assert not text or text not in str(caught.value)


def test_the_mac_key_is_in_no_repr() -> None:
    assert "secret" not in repr(jws.external_account("kid-1", "c2VjcmV0IGtleQ"))


def test_a_key_change_is_signed_by_the_new_key() -> None:
    inner = jws.sign_key_change(OTHER, "https://ca.test/account/1", KEY.jwk, "https://ca.test/key-change")

    read, protected = jws.read_jws(inner)
    header, payload = opened(inner)
    assert header == {"alg": "ES256", "url": "https://ca.test/key-change", "jwk": OTHER.jwk}
    assert json.loads(payload) == {"account": "https://ca.test/account/1", "oldKey": KEY.jwk}
    assert jws.is_jws_of(read, key_of(protected.jwk or {}))
