"""The bytes of the format; whether Java reads them is judged in `test_keytool.py`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from certwright.pki import pem
from certwright.pki.authority import issue_server, new_authority
from certwright.pki.errors import PkiError
from certwright.pki.keys import parse_private_key
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.jks import write_keystore, write_truststore

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
AUTHORITY = new_authority("test root", NOW)
PAIR = issue_server(AUTHORITY, ["a.example.test"], [], NOW)
ROOT = pem.split_certificates(AUTHORITY.cert_pem, "it")[0]
ENTRY = KeyEntry(parse_private_key(PAIR.key_pem), (pem.split_certificates(PAIR.cert_pem, "it")[0],), (ROOT, ROOT))


def test_a_trust_store_is_written_to_the_byte() -> None:
    store = write_truststore([ROOT], b"pw", NOW)

    body = (
        bytes.fromhex("feedfeed 00000002 00000001 00000002")
        + b"\x00\x02ca"
        + int(NOW.timestamp() * 1000).to_bytes(8, "big")
        + b"\x00\x05X.509"
        + len(ROOT).to_bytes(4, "big")
        + ROOT
    )
    assert store[:-20] == body
    assert store[-20:] == hashlib.sha1(b"\0p\0wMighty Aphrodite" + body, usedforsecurity=False).digest()


def test_the_key_comes_first_and_authorities_are_numbered() -> None:
    store = write_keystore(ENTRY, b"pw", NOW, alias="MyKey")

    assert store.index(b"\x00\x05mykey") < store.index(b"\x00\x02ca") < store.index(b"\x00\x04ca-1")


def test_the_same_randomness_gives_the_same_store() -> None:
    one, other = (write_keystore(ENTRY, b"pw", NOW, random=bytes) for _ in range(2))

    assert one == other != write_keystore(ENTRY, b"pw", NOW)


def test_an_alias_is_in_javas_modified_utf_8() -> None:
    store = write_keystore(ENTRY, b"pw", NOW, alias="a\0ä\U0001f511")

    assert b"\x00\x0b" + b"a\xc0\x80\xc3\xa4\xed\xa0\xbd\xed\xb4\x91" in store


def test_an_alias_that_a_ca_has_is_refused() -> None:
    with pytest.raises(PkiError, match="alias 'CA-1' is taken"):
        write_keystore(ENTRY, b"pw", NOW, alias="CA-1")


def test_a_password_that_is_no_text_is_refused() -> None:
    with pytest.raises(PkiError, match="not UTF-8"):
        write_truststore([ROOT], b"\xff", NOW)
