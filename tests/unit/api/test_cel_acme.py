"""The CRD's rules for ACME issuers, Orders and Challenges."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from tests.unit.api.cel_judge import complaints

from certwright.api import acme_dns01 as dns01
from certwright.api import acme_v1 as acme

Plain = dict[str, Any]  # JSON of a test case

ISSUER: Plain = {"server": "https://acme/directory", "privateKeySecretRef": {"name": "account"}}
REF: Plain = {"name": "s", "key": "k"}
PROVIDERS = ("akamai", "cloudDNS", "cloudflare", "route53", "azureDNS", "digitalocean", "acmeDNS", "rfc2136", "webhook")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (acme.AcmeIssuer, ISSUER),
        (acme.AcmeIssuer, ISSUER | {"caBundle": "eA==", "skipTLSVerify": False}),
        (acme.ExternalAccountBinding, {"keyID": "1", "keySecretRef": REF}),
        (acme.Solver, {"http01": {}}),
        (acme.Solver, {"dns01": {}}),
        (acme.HTTP01, {"ingress": {}}),
        (acme.HTTP01Ingress, {}),
        (acme.HTTP01Ingress, {"name": "", "class": "nginx"}),
        (dns01.Cloudflare, {"apiTokenSecretRef": REF}),
        (dns01.Cloudflare, {"apiKeySecretRef": REF, "email": "a@example.com"}),
        (dns01.Route53, {"accessKeyID": "", "accessKeyIDSecretRef": REF}),
        (dns01.Route53, {}),
        (dns01.AzureDNS, {"clientID": "1", "tenantID": "2", "clientSecretSecretRef": REF}),
        (dns01.AzureDNS, {"managedIdentity": {}}),
        (dns01.AzureManagedIdentity, {"clientID": "1"}),
        (dns01.RFC2136, {"nameserver": "10.0.0.1", "tsigSecretSecretRef": {"name": ""}}),
        (dns01.RFC2136, {"nameserver": "10.0.0.1", "tsigSecretSecretRef": REF, "tsigKeyName": "k"}),
        (dns01.Webhook, {"groupName": "g", "solverName": "s"}),
        *((dns01.DNS01, {name: {}, "cnameStrategy": "Follow"}) for name in PROVIDERS),
    ],
)
def test_good_blocks_pass(kind: type[Struct], value: Plain) -> None:
    assert complaints(kind, value) == []


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        (acme.AcmeIssuer, ISSUER | {"server": ""}, "server"),
        (acme.AcmeIssuer, ISSUER | {"privateKeySecretRef": {"name": ""}}, "privateKeySecretRef"),
        (acme.AcmeIssuer, ISSUER | {"caBundle": "eA==", "skipTLSVerify": True}, "skipTLSVerify"),
        (acme.ExternalAccountBinding, {"keyID": "", "keySecretRef": REF}, "keyID"),
        (acme.ExternalAccountBinding, {"keyID": "1", "keySecretRef": {"name": "s"}}, "keySecretRef"),
        (acme.Solver, {}, "http01 or dns01"),
        (acme.Solver, {"http01": {}, "dns01": {}}, "http01 or dns01"),
        (acme.HTTP01, {}, "ingress or gatewayHTTPRoute"),
        (acme.HTTP01Ingress, {"class": "a", "ingressClassName": "a"}, "ingressClassName"),
        (acme.HTTP01Ingress, {"class": "a", "name": "a"}, "name"),
        (dns01.DNS01, {}, "one provider"),
        (dns01.DNS01, {"cloudDNS": {}, "acmeDNS": {}}, "one provider"),
        (dns01.DNS01, {"akamai": {}, "webhook": {}}, "one provider"),
        (dns01.Cloudflare, {}, "apiTokenSecretRef"),
        (dns01.Cloudflare, {"apiTokenSecretRef": REF, "apiKeySecretRef": REF, "email": "a"}, "apiTokenSecretRef"),
        (dns01.Cloudflare, {"apiKeySecretRef": REF}, "email"),
        (dns01.Route53, {"accessKeyID": "a", "accessKeyIDSecretRef": REF}, "accessKeyID"),
        (dns01.AzureDNS, {"managedIdentity": {}, "clientSecretSecretRef": REF}, "managedIdentity"),
        (dns01.AzureDNS, {"clientSecretSecretRef": REF}, "clientID"),
        (dns01.AzureManagedIdentity, {"clientID": "a", "resourceID": "b"}, "resourceID"),
        (dns01.RFC2136, {"tsigKeyName": "k"}, "tsigSecretSecretRef"),
        (dns01.Webhook, {"groupName": "g", "solverName": ""}, "solverName"),
    ],
)
def test_bad_blocks_are_refused_with_the_field_in_the_message(kind: type[Struct], value: Plain, word: str) -> None:
    found = complaints(kind, value)

    assert any(word in message for message in found)


STATUS: Plain = {
    "url": "https://acme/order/1",
    "finalizeURL": "https://acme/finalize/1",
    "certificate": "cGVt",
    "authorizations": [{"url": "https://acme/authz/1"}],
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, STATUS),
        ({"url": "", "authorizations": []}, STATUS),
        (STATUS, STATUS | {"state": "valid"}),
        (STATUS, STATUS | {"authorizations": [{"url": "https://acme/authz/1", "identifier": "a"}]}),
    ],
)
def test_order_status_is_filled_in(old: Plain, new: Plain) -> None:
    assert complaints(acme.OrderStatus, new, old) == []


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://acme/order/2"},
        {"url": None},
        {"finalizeURL": "https://acme/finalize/2"},
        {"certificate": "b3RoZXI="},
        {"authorizations": []},
        {"authorizations": [{"url": "https://acme/authz/2"}]},
        {"authorizations": None},
    ],
)
def test_order_status_is_set_once(change: Plain) -> None:
    new = {key: value for key, value in (STATUS | change).items() if value is not None}

    found = complaints(acme.OrderStatus, new, STATUS)

    assert [message.split()[0] for message in found] == list(change)


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ({"request": ""}, {"request": "cGVt"}, True),
        ({"request": "cGVt"}, {"request": "cGVt"}, True),
        ({"request": "cGVt"}, {"request": "b3RoZXI="}, False),
    ],
)
def test_an_order_keeps_its_request(old: Plain, new: Plain, passes: bool) -> None:
    assert (complaints(acme.OrderSpec, new, old) == []) is passes


def test_an_order_keeps_its_status() -> None:
    assert complaints(acme.Order, {"spec": {}}, {"spec": {}, "status": {"state": "errored"}}) == []
    assert complaints(acme.Order, {"spec": {}}, {"spec": {}, "status": STATUS}) != []


def test_a_challenge_never_changes() -> None:
    spec: Plain = {"url": "u", "token": "t", "solver": {"http01": {"ingress": {}}}}
    redirected: Plain = spec | {"solver": {"http01": {"ingress": {"name": "other"}}}}

    assert complaints(acme.ChallengeSpec, dict(spec), spec) == []
    assert complaints(acme.ChallengeSpec, redirected, spec) != []
