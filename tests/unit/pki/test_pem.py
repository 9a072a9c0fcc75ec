from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.pki import pem
from certwright.pki.errors import PkiError


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4))
def test_certificates_read_back_as_they_were_written(ders: list[bytes]) -> None:
    text = pem.write_certificates(ders)

    assert pem.split_certificates(text, "it") == ders
    assert max(len(line) for line in text.splitlines()) <= 64
    assert b"\r" not in text
    assert text.endswith(b"-----END CERTIFICATE-----\n")


def test_text_and_headers_around_blocks_are_passed_over() -> None:
    text = b"subject=x\r\n-----BEGIN CERTIFICATE-----\r\nNote: a\r\n\r\nAQID\r\n-----END CERTIFICATE-----\r\nbye"

    assert pem.split_certificates(text, "it") == [b"\1\2\3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "holds no PEM block"),
        (b"-----BEGIN CERTIFICATE-----\nAQID\n-----END KEY-----\n", "holds no PEM block"),
        (b"-----BEGIN CERTIFICATE-----\nAQ!D\n-----END CERTIFICATE-----\n", "not valid base64"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n", "without a passphrase"),
        (b"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n", "without a passphrase"),
    ],
)
def test_what_cannot_be_read_is_named(text: bytes, words: str) -> None:
    with pytest.raises(PkiError, match=words):
        pem.split(text, "tls.crt")


def test_another_block_among_certificates_is_named_with_its_place() -> None:
    text = pem.write("CERTIFICATE", b"a") + pem.write("PUBLIC KEY", b"b")

    with pytest.raises(PkiError, match=r"PUBLIC KEY \(number 2\)"):
        pem.split_certificates(text, "ca.crt")


def test_the_first_block_is_read_whatever_follows() -> None:
    text = b"x" + pem.write("CERTIFICATE", b"a") + b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"

    assert pem.first(text, "it") == pem.PemBlock("CERTIFICATE", b"a")
    with pytest.raises(PkiError, match="it holds no PEM block"):
        pem.first(b"x", "it")


def test_the_limit_itself_is_still_read() -> None:
    pem.refuse_larger(b"12345", 5, "it")

    with pytest.raises(PkiError, match="it is 6 bytes of PEM, more than the 5"):
        pem.refuse_larger(b"123456", 5, "it")
