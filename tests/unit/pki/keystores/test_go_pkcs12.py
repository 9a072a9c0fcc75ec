"""Our PKCS#12 files, opened by the library that cert-manager writes its own with."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct
from tests.judges import require

from certwright.pki import pem
from certwright.pki.authority import issue_server, new_authority
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate, parse_private_key, same_public_key
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.pkcs12 import Profile, write_keystore, write_truststore

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
AUTHORITY = new_authority("test root", NOW)
PAIR = issue_server(AUTHORITY, ["a.example.test"], [], NOW)
ROOT = pem.split_certificates(AUTHORITY.cert_pem, "it")[0]
LEAF = pem.split_certificates(PAIR.cert_pem, "it")[0]
ENTRY = KeyEntry(parse_private_key(PAIR.key_pem), (LEAF,), (ROOT,))
PASSWORD = "pässword"


class Contents(Struct):
    """What the library found, DER."""

    certs: list[bytes]
    key: bytes = b""


def opened(what: str, store: bytes, folder: Path, password: str = PASSWORD) -> Contents:
    """The store as the library reads it; CalledProcessError where it cannot."""
    path = folder / "store.p12"
    path.write_bytes(store)
    reader = require("pkcs12-reader")
    done = subprocess.run([reader, what, path, password], capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=Contents)


def read_key(der: bytes) -> PrivateKey:
    """A PKCS#8 key."""
    text = base64.encodebytes(der).decode()
    return parse_private_key(f"-----BEGIN PRIVATE KEY-----\n{text}-----END PRIVATE KEY-----\n".encode())


@pytest.mark.parametrize("profile", list(Profile))
def test_a_key_store_of_every_profile(profile: Profile, tmp_path: Path) -> None:
    found = opened("key", write_keystore(ENTRY, PASSWORD.encode(), profile), tmp_path)

    assert found.certs == [LEAF, ROOT]
    assert same_public_key(read_key(found.key), ENTRY.key)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_trust_store_of_every_profile(profile: Profile, tmp_path: Path) -> None:
    again = new_authority("test root", NOW)
    roots = [ROOT, pem.split_certificates(again.cert_pem, "it")[0]]

    found = opened("trust", write_truststore(roots, PASSWORD.encode(), profile), tmp_path)

    assert found.certs == roots


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.RSA, KeyAlgorithm.ED25519])
def test_other_kinds_of_keys(algorithm: KeyAlgorithm, tmp_path: Path) -> None:
    key = generate(KeySpec(algorithm))

    found = opened("key", write_keystore(KeyEntry(key, (LEAF,)), PASSWORD.encode(), Profile.MODERN_2026), tmp_path)

    assert same_public_key(read_key(found.key), key)


@pytest.mark.parametrize("profile", list(Profile))
def test_another_password_does_not_open_it(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        opened("key", write_keystore(ENTRY, PASSWORD.encode(), profile), tmp_path, "other")

    assert b"password" in refused.value.stderr
