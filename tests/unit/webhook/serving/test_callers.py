"""Who may ask, by the names of a client certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tests.unit.webhook import tls

from certwright.webhook.serving.callers import Callers, PeerCertificate, Stranger
from certwright.webhook.serving.source import NotYet
from certwright.webhook.serving.tls import server_context

BY_COMMON_NAME: PeerCertificate = {"subject": ((("organizationName", "a"),), (("commonName", "api"),))}
BY_DNS_NAME: PeerCertificate = {
    "subject": ((("commonName", "x"),),),
    "subjectAltName": (("IP Address", "127.0.0.1"), ("DNS", "api")),
}
BY_ADDRESS: PeerCertificate = {"subject": (), "subjectAltName": (("IP Address", "api"), ("email", "api"))}


def test_common_names_and_dns_names_count() -> None:
    callers = Callers(Path("ca.crt"), frozenset({"api"}))

    callers.check(BY_COMMON_NAME)
    callers.check(BY_DNS_NAME)
    for stranger in (BY_ADDRESS, {}, None):
        with pytest.raises(Stranger):
            callers.check(stranger)


def test_without_names_or_without_a_ca_everyone_may_ask() -> None:
    Callers(Path("ca.crt")).check(BY_ADDRESS)
    Callers(None, frozenset({"api"})).check(None)


def test_a_client_ca_that_is_not_there_yet(tmp_path: Path) -> None:
    context, path = server_context(), tmp_path / "ca.crt"
    callers = Callers(path)

    with pytest.raises(NotYet, match="cannot be read"):
        callers.load(context)
    path.write_text("no PEM")
    with pytest.raises(NotYet, match="give PEM certificates"):
        callers.load(context)
    path.write_bytes(tls.new_ca().cert_pem)
    callers.load(context)

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1


def test_a_second_client_ca_is_trusted_besides(tmp_path: Path) -> None:
    context, path = server_context(), tmp_path / "ca.crt"
    callers = Callers(path)
    for _ in range(2):
        path.write_bytes(tls.new_ca().cert_pem)
        callers.load(context)
        callers.load(context)

    assert len(context.get_ca_certs()) == 2
