from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol import base64url, challenges

# RFC 8555 section 8.3
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
PRINT = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


def test_the_key_authorization_of_rfc_8555() -> None:
    assert challenges.key_authorization(TOKEN, PRINT) == f"{TOKEN}.{PRINT}"
    assert challenges.http01_path(TOKEN) == f"/.well-known/acme-challenge/{TOKEN}"


@pytest.mark.parametrize("token", ["", "../../etc/passwd", "a b", "a.b", "a/b", "ä", "a" * 513, "a\n"])
def test_a_token_that_could_be_a_path_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="not base64url"):
        challenges.key_authorization(token, PRINT)


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_-]{1,512}", fullmatch=True))
def test_the_txt_value_is_the_digest_that_tls_alpn_shows(token: str) -> None:
    proof = challenges.key_authorization(token, PRINT)

    value = challenges.dns01_value(proof)

    assert len(value) == 43
    assert base64url.decode(value) == hashlib.sha256(proof.encode()).digest() == challenges.tls_alpn01_digest(proof)


@pytest.mark.parametrize("domain", ["example.com", "example.com."])
def test_the_txt_name(domain: str) -> None:
    assert challenges.dns01_name(domain) == "_acme-challenge.example.com"


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("example.com", "example.com"),
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_the_server_name_of_tls_alpn_01(identifier: str, name: str) -> None:
    assert challenges.tls_alpn01_server_name(identifier) == name
