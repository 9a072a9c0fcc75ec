from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol import base64url


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\x03\xec\xff\xe0\xc1", "A-z_4ME")],
)
def test_the_examples_of_rfc_4648_and_rfc_7515(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@settings(deadline=None)
@given(st.binary())
def test_what_is_encoded_can_be_decoded(data: bytes) -> None:
    text = base64url.encode(data)

    assert "=" not in text
    assert base64url.decode(text) == data


@pytest.mark.parametrize("text", ["Zg==", "a+b/", "Zm8 ", "Zm8\n", "ä", "A"])
def test_padding_other_alphabets_and_impossible_lengths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        base64url.decode(text)
