"""What we write, judged by the openssl command."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames, OtherName
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.extensions import NameConstraints, Subtrees
from certwright.pki.issuance import Terms, sign, sign_with_own_key, signer_from
from certwright.pki.keys import ML_DSA, KeyAlgorithm, KeyEncoding, KeySpec, encode_private_key, generate
from certwright.pki.names import Subject, encode_subject

pytestmark = pytest.mark.needs("openssl")

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
# Versions before 3.5 do not know ML-DSA, of which `test_ml_dsa.py` tells.
CLASSIC = [algorithm for algorithm in KeyAlgorithm if algorithm not in ML_DSA]
KEY = generate(KeySpec(KeyAlgorithm.ECDSA))
CONTENT = RequestContent(
    subject=encode_subject(Subject(organizations=("Ä & Söhne",), common_name="a.example.test")),
    names=AlternativeNames(
        dns_names=("a.example.test",),
        ip_addresses=("10.0.0.1", "2001:db8::1"),
        email_addresses=("ops@example.test",),
        uris=("spiffe://example.test/x",),
        other_names=(OtherName("1.3.6.1.4.1.311.20.2.3", "upn@example.test"),),
    ),
    usages=("digital signature", "server auth"),
)


def openssl(*words: str | Path, given: bytes = b"") -> str:
    done = subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("algorithm", CLASSIC)
@pytest.mark.parametrize("encoding", list(KeyEncoding))
def test_openssl_reads_our_keys(algorithm: KeyAlgorithm, encoding: KeyEncoding) -> None:
    key = generate(KeySpec(algorithm))

    answer = openssl("pkey", "-check", "-noout", given=encode_private_key(key, encoding))

    assert "Key is valid" in answer


def test_openssl_verifies_our_request_and_reads_its_names() -> None:
    answer = openssl("req", "-verify", "-noout", "-text", given=build_request(CONTENT, KEY))

    assert "verify OK" in answer
    assert "DNS:a.example.test, email:ops@example.test, IP Address:10.0.0.1" in answer
    assert "URI:spiffe://example.test/x, othername: UPN::upn@example.test" in answer


def test_openssl_verifies_a_chain_with_name_constraints(tmp_path: Path) -> None:
    constraints = NameConstraints(
        critical=True, permitted=Subtrees(dns_domains=("example.test",), ip_ranges=("10.0.0.0/8", "2001:db8::/32"))
    )
    upper = RequestContent(
        subject=encode_subject(Subject(common_name="root")), is_ca=True, name_constraints=constraints
    )
    root = sign_with_own_key(parse_request(build_request(upper, KEY)), KEY, Terms(is_ca=True), NOW)
    request = parse_request(build_request(CONTENT, generate(KeySpec(KeyAlgorithm.ED25519))))
    leaf = sign(request, signer_from(root, KEY), Terms(usages=("server auth",)), NOW)
    for name, data in (("root.pem", root), ("leaf.pem", leaf)):
        (tmp_path / name).write_bytes(pem.write("CERTIFICATE", data))

    moment = str(int(NOW.timestamp()) + 60)
    flags = ("-x509_strict", "-purpose", "sslserver", "-attime", moment, "-verify_hostname", "a.example.test")
    answer = openssl("verify", *flags, "-CAfile", tmp_path / "root.pem", tmp_path / "leaf.pem")

    assert answer.endswith("leaf.pem: OK\n")
