"""Our key stores, judged by Java's keytool and by openssl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certwright.pki import pem
from certwright.pki.authority import issue_server, new_authority
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.issuance import Terms, sign_with_own_key
from certwright.pki.keys import ML_DSA, KeyAlgorithm, KeySpec, PrivateKey, generate, parse_private_key, same_public_key
from certwright.pki.keystores import jks, pkcs12
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.pkcs12 import Profile
from certwright.pki.names import Subject, encode_subject

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
AUTHORITY = new_authority("test root", NOW)
PAIR = issue_server(AUTHORITY, ["a.example.test"], [], NOW)
ROOT = pem.split_certificates(AUTHORITY.cert_pem, "it")[0]
KEY = parse_private_key(PAIR.key_pem)
ENTRY = KeyEntry(KEY, (pem.split_certificates(PAIR.cert_pem, "it")[0],), (ROOT,))
PASSWORD = b"changeit"

# Modern2026 needs OpenSSL 3.4 and Java 26.
READABLE = [Profile.LEGACY_RC2, Profile.LEGACY_DES, Profile.MODERN_2023]


def self_signed(key: PrivateKey) -> KeyEntry:
    request = parse_request(build_request(RequestContent(subject=encode_subject(Subject(common_name="x"))), key))
    return KeyEntry(key, (sign_with_own_key(request, key, Terms(), NOW),))


STORED = [self_signed(generate(KeySpec(algorithm))) for algorithm in (KeyAlgorithm.RSA, KeyAlgorithm.ED25519)]


def run(*words: str | Path) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


@pytest.mark.needs("keytool")
@pytest.mark.needs("openssl")
@pytest.mark.parametrize("entry", [ENTRY, *STORED], ids=["ECDSA", "RSA", "Ed25519"])
def test_java_opens_the_key_of_a_jks(entry: KeyEntry, tmp_path: Path) -> None:
    path = tmp_path / "keystore.jks"
    path.write_bytes(jks.write_keystore(entry, PASSWORD, NOW, alias="MyKey"))

    copied = tmp_path / "copied.p12"
    passwords = ("-srcstorepass", "changeit", "-deststorepass", "changeit")
    names = ("-srcalias", "mykey", "-deststoretype", "pkcs12", "-noprompt")
    run("keytool", "-importkeystore", "-srckeystore", path, "-destkeystore", copied, *passwords, *names)

    again = parse_private_key(run("openssl", "pkcs12", "-in", copied, "-passin", "pass:changeit", "-nodes").encode())
    assert same_public_key(again, entry.key)


@pytest.mark.needs("keytool")
@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ED25519, *ML_DSA])
def test_java_lists_the_key_of_every_store(algorithm: KeyAlgorithm, tmp_path: Path) -> None:
    """The JDK reads ML-DSA keys themselves from release 24 on, or with another provider beside its own."""
    entry = self_signed(generate(KeySpec(algorithm)))
    stores = {"keystore.jks": jks.write_keystore(entry, PASSWORD, NOW)}
    stores |= {f"{profile}.p12": pkcs12.write_keystore(entry, PASSWORD, profile) for profile in READABLE}

    for name, store in stores.items():
        (tmp_path / name).write_bytes(store)
        answer = run("keytool", "-list", "-keystore", tmp_path / name, "-storepass", "changeit")
        assert "PrivateKeyEntry" in answer


@pytest.mark.needs("keytool")
def test_java_lists_the_entries_of_a_jks(tmp_path: Path) -> None:
    path = tmp_path / "truststore.jks"
    path.write_bytes(jks.write_truststore([ROOT, ROOT], PASSWORD, NOW))

    answer = run("keytool", "-list", "-keystore", path, "-storepass", "changeit")

    assert "ca, Nov 24, 2026, trustedCertEntry" in answer
    assert "ca-1, Nov 24, 2026, trustedCertEntry" in answer


@pytest.mark.needs("keytool")
@pytest.mark.parametrize("profile", READABLE)
def test_java_lists_a_pkcs12_of_each_profile(profile: Profile, tmp_path: Path) -> None:
    store, trust = tmp_path / "keystore.p12", tmp_path / "truststore.p12"
    store.write_bytes(pkcs12.write_keystore(ENTRY, PASSWORD, profile))
    trust.write_bytes(pkcs12.write_truststore([ROOT], PASSWORD, profile))

    keys = run("keytool", "-list", "-keystore", store, "-storepass", "changeit", "-storetype", "pkcs12")
    trusted = run("keytool", "-list", "-keystore", trust, "-storepass", "changeit", "-storetype", "pkcs12")

    assert "PrivateKeyEntry" in keys
    assert "cn=test root, Nov" in trusted
    assert "trustedCertEntry" in trusted


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("profile", READABLE)
def test_openssl_opens_the_key_of_a_pkcs12_of_each_profile(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "keystore.p12"
    path.write_bytes(pkcs12.write_keystore(ENTRY, PASSWORD, profile))

    answer = run("openssl", "pkcs12", "-legacy", "-in", path, "-passin", "pass:changeit", "-nodes")

    assert pem.split(answer.encode(), "it")[-1].label == "PRIVATE KEY"
    assert answer.count("BEGIN CERTIFICATE") == 2
