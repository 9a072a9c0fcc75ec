from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder
from cryptography.x509.verification import Store as TrustStore
from tests.unit.acme.rig import ec_key

from certwright.acme.protocol.messages import Identifier
from certwright.acme.server.authority import IssuingCa, Validity, open_ca, open_endpoint_authority
from certwright.acme.server.store import Store
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import parse_certificate_der
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.names import Subject, encode_subject

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = timedelta(days=90)
NAMES = (Identifier("dns", "*.a.test"), Identifier("dns", "a.test"), Identifier("ip", "192.0.2.1"))


def issued(ca: IssuingCa, content: RequestContent | None = None, names: tuple[Identifier, ...] = NAMES) -> bytes:
    request = parse_request(build_request(content or RequestContent(), ec_key()))
    return ca.issue(request, names, Validity(NOW, DAYS))


def test_every_chain_verifies_against_its_root() -> None:
    store = Store(None)
    ca = open_ca(store, "test", 2, NOW)
    chains = ca.chains(issued(ca))
    store.close()

    assert len(chains) == len(set(ca.root_pems)) == 3
    for chain, root in zip(chains, ca.root_pems, strict=True):
        leaf, *above = x509.load_pem_x509_certificates(chain)
        trust = TrustStore([x509.load_pem_x509_certificate(root)])
        for subject in (x509.DNSName("www.a.test"), x509.DNSName("a.test"), x509.IPAddress(ip_address("192.0.2.1"))):
            verified = (
                PolicyBuilder().store(trust).time(NOW + DAYS / 2).build_server_verifier(subject).verify(leaf, above)
            )
            assert len(verified) == 3


@pytest.mark.needs("openssl")
def test_openssl_takes_the_chain(tmp_path: Path) -> None:
    store = Store(None)
    ca = open_ca(store, "test", 0, NOW)
    chain, root = tmp_path / "chain.pem", tmp_path / "root.pem"
    chain.write_bytes(ca.chains(issued(ca))[0])
    root.write_bytes(ca.root_pems[0])
    store.close()

    at = str(int((NOW + DAYS / 2).timestamp()))
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-attime",
        at,
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "www.a.test",
    ]
    verdict = subprocess.run(
        [*command, "-CAfile", str(root), "-untrusted", str(chain), str(chain)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert verdict.returncode == 0, verdict.stderr


def test_the_order_decides_names_and_the_request_nothing_but_the_key() -> None:
    store = Store(None)
    ca = open_ca(store, "test", 0, NOW)
    greedy = RequestContent(
        subject=encode_subject(Subject(common_name="evil.test", organizations=("Evil",))),
        names=AlternativeNames(dns_names=("evil.test",), email_addresses=("a@evil.test",)),
        usages=("cert sign", "code signing"),
        is_ca=True,
        encode_basic_constraints=True,
    )

    leaf = parse_certificate_der(issued(ca, greedy))
    store.close()

    assert leaf.names == AlternativeNames(dns_names=("*.a.test", "a.test"), ip_addresses=("192.0.2.1",))
    assert leaf.subject_parts == Subject(common_name="*.a.test")
    assert not leaf.is_ca
    assert set(leaf.usages.names()) == {"digital signature", "key encipherment", "server auth"}
    assert (leaf.not_before, leaf.not_after) == (NOW, NOW + DAYS)
    assert leaf.authority_key_id


def test_a_name_that_is_too_long_for_a_subject_stands_in_the_extension_alone() -> None:
    store = Store(None)
    ca = open_ca(store, "test", 0, NOW)
    long = Identifier("dns", f"{'a' * 63}.test")

    leaf = parse_certificate_der(issued(ca, names=(long,)))
    store.close()

    assert leaf.subject_parts == Subject()
    assert leaf.names.dns_names == (long.value,)


def test_what_is_stored_is_the_same_ca_again(tmp_path: Path) -> None:
    first = Store(tmp_path / "state")
    before = (open_ca(first, "test", 1, NOW).root_pems, open_endpoint_authority(first, "test", NOW).cert_pem)
    first.close()

    second = Store(tmp_path / "state")
    ca, endpoint = open_ca(second, "test", 2, NOW + DAYS), open_endpoint_authority(second, "test", NOW + DAYS)
    der = issued(ca)
    second.close()

    assert (ca.root_pems[:2], endpoint.cert_pem) == before
    assert len(ca.chains(der)) == 3
