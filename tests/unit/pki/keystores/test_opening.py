"""Key stores that we write open with their password and are seen for what they are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from certwright.pki.authority import new_authority
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate, parse_private_key
from certwright.pki.keystores import jks, pkcs12
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile
from certwright.pki.pem import split_certificates

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAIR = new_authority("stores", NOW)
CHAIN = tuple(split_certificates(PAIR.cert_pem, "the certificate"))
ENTRY = KeyEntry(parse_private_key(PAIR.key_pem), CHAIN, CHAIN)


@pytest.mark.parametrize("profile", Profile)
def test_every_profile(profile: Profile) -> None:
    for store in (pkcs12.write_keystore(ENTRY, b"pw", profile), pkcs12.write_truststore(CHAIN, b"pw", profile)):
        assert opens_pkcs12(store, b"pw", profile)
        assert not opens_pkcs12(store, b"other", profile)
        assert [other for other in Profile if opens_pkcs12(store, b"pw", other)] == [profile]


@pytest.mark.parametrize("profile", Profile)
def test_keys_that_the_library_takes_from_no_store(profile: Profile) -> None:
    store = pkcs12.write_keystore(KeyEntry(generate(KeySpec(KeyAlgorithm.ML_DSA_44)), CHAIN), b"pw", profile)

    assert opens_pkcs12(store, b"pw", profile)
    assert not opens_pkcs12(store, b"other", profile)
    assert not opens_pkcs12(store, b"\xff", profile)
    assert not opens_pkcs12(store[:-1], b"pw", profile)
    assert [other for other in Profile if opens_pkcs12(store, b"pw", other)] == [profile]


def test_java_stores() -> None:
    store = jks.write_keystore(ENTRY, b"pw", NOW, "mine")

    assert opens_jks(store, b"pw", "mine")
    assert opens_jks(store, b"pw")
    assert not opens_jks(store, b"pw", "yours")
    assert not opens_jks(store, b"other", "mine")
    for alias in ("MyKey", "İ", "😀", "a\0b"):
        assert opens_jks(jks.write_keystore(ENTRY, b"pw", NOW, alias), b"pw", alias)
    assert opens_jks(jks.write_truststore(CHAIN, b"pw", NOW), b"pw")


@pytest.mark.parametrize("data", [b"", b"x", b"\x30\x03\x02\x01\x03", b"\xff" * 64])
def test_what_is_no_store(data: bytes) -> None:
    assert not opens_jks(data, b"pw")
    assert not any(opens_pkcs12(data, b"pw", profile) for profile in Profile)


def test_a_password_with_nul_is_refused_and_harms_nobody() -> None:
    store = pkcs12.write_keystore(ENTRY, b"pw", Profile.LEGACY_RC2)

    assert not opens_pkcs12(store, b"p\0w", Profile.LEGACY_RC2)
    with pytest.raises(PkiError, match="NUL"):
        pkcs12.write_keystore(ENTRY, b"p\0w", Profile.LEGACY_RC2)
