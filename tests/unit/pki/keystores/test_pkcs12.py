from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from certwright.pki import der, pem
from certwright.pki.authority import issue_server, new_authority
from certwright.pki.errors import PkiError
from certwright.pki.keys import ML_DSA, KeyAlgorithm, KeySpec, PrivateKey, generate, parse_private_key, same_public_key
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.pkcs12 import Profile, write_keystore, write_truststore

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
AUTHORITY = new_authority("test root", NOW)
PAIR = issue_server(AUTHORITY, ["a.example.test"], [], NOW)
ROOT = pem.split_certificates(AUTHORITY.cert_pem, "it")[0]
LEAF = pem.split_certificates(PAIR.cert_pem, "it")[0]
ENTRY = KeyEntry(parse_private_key(PAIR.key_pem), (LEAF,), (ROOT,))
PASSWORD = "pässword".encode()


@pytest.mark.parametrize("profile", list(Profile))
def test_the_other_library_reads_a_key_store_of_every_profile(profile: Profile) -> None:
    store = pkcs12.load_pkcs12(write_keystore(ENTRY, PASSWORD, profile), PASSWORD)

    assert has_key(store, ENTRY.key)
    assert store.cert is not None
    assert store.cert.certificate.public_bytes(Encoding.DER) == LEAF
    assert store.cert.friendly_name is None
    assert [one.certificate.public_bytes(Encoding.DER) for one in store.additional_certs] == [ROOT]


@pytest.mark.parametrize("profile", list(Profile))
def test_the_other_library_reads_a_trust_store_of_every_profile(profile: Profile) -> None:
    again = new_authority("test root", NOW)
    second = pem.split_certificates(again.cert_pem, "it")[0]

    store = pkcs12.load_pkcs12(write_truststore([ROOT, second], PASSWORD, profile), PASSWORD)

    assert store.key is None
    assert [one.friendly_name for one in store.additional_certs] == [b"CN=test root", b"CN=test root (2)"]


@pytest.mark.parametrize("profile", list(Profile))
def test_another_password_does_not_open_it(profile: Profile) -> None:
    store = write_keystore(ENTRY, PASSWORD, profile)

    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(store, b"other")


# Of ML-DSA keys in stores `test_keytool.py` judges: the library takes them from none.
CLASSIC = [algorithm for algorithm in KeyAlgorithm if algorithm not in ML_DSA]


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("key", [generate(KeySpec(algorithm)) for algorithm in CLASSIC], ids=CLASSIC)
def test_every_kind_of_key_can_be_stored(key: PrivateKey, profile: Profile) -> None:
    store = write_keystore(KeyEntry(key, (ROOT,)), PASSWORD, profile)

    assert has_key(pkcs12.load_pkcs12(store, PASSWORD), key)


def test_leaf_and_key_share_the_digest_of_the_leaf() -> None:
    parts = der.children(contents(write_keystore(ENTRY, PASSWORD, Profile.MODERN_2023)))

    [key_bag] = der.children(data_of(parts[1]))
    attributes = der.children(key_bag.content)[2]
    digest = hashlib.sha1(LEAF, usedforsecurity=False).digest()
    assert attributes.raw == der.set_of(
        [der.sequence(der.oid("1.2.840.113549.1.9.21"), der.set_of([der.octets(digest)]))]
    )


def test_the_legacy_mac_has_one_round_which_der_leaves_out() -> None:
    mac = der.children(der.read(write_keystore(ENTRY, PASSWORD)).content)[2]

    assert len(der.children(mac.content)) == 2


def test_a_password_that_is_no_text_is_refused() -> None:
    with pytest.raises(PkiError, match="not UTF-8"):
        write_truststore([ROOT], b"\xff")


def has_key(store: pkcs12.PKCS12KeyAndCertificates, key: PrivateKey) -> bool:
    return isinstance(store.key, PrivateKey) and same_public_key(store.key, key)


def contents(store: bytes) -> bytes:
    """The AuthenticatedSafe's content."""
    return data_of(der.children(der.read(store).content)[1])


def octets_of(info: der.Element) -> bytes:
    return der.read(der.children(info.content)[1].content, der.OCTET_STRING).content


def data_of(info: der.Element) -> bytes:
    return der.read(octets_of(info)).content
