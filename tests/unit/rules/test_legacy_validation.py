"""A legacy Certificate is judged by v0.5's rules, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api import issuer_types as issuers
from certwright.api.acme_v1 import AcmeIssuer
from certwright.api.meta import SecretKeySelector
from certwright.rules.legacy_validation import certificate_errors, certificate_errors_for, validation_failed

Plain = dict[str, Any]  # JSON of a test case

GOOD: Plain = {"secretName": "s", "issuerRef": {"name": "i"}, "dnsNames": ["a.example.com"]}
ACME = cm.IssuerSpec(acme=AcmeIssuer(server="https://acme", private_key_secret_ref=SecretKeySelector(name="k")))
VAULT = cm.IssuerSpec(vault=issuers.VaultIssuer(auth=issuers.VaultAuth(), server="v", path="p"))
CA = cm.IssuerSpec(ca=issuers.CAIssuer(secret_name="ca"))
DNS: Plain = {"dns01": {"provider": "p"}}


def spec_of(changes: Plain) -> legacy.CertificateSpec:
    return legacy.decode_certificate({"spec": GOOD | changes}).spec


def config(*entries: Plain) -> Plain:
    return {"acme": {"config": list(entries)}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dnsNames": [], "commonName": "a"},
        {"dnsNames": [], "ipAddresses": ["10.0.0.1"]},
        {"issuerRef": {"name": "i", "kind": "ClusterIssuer"}},
        {"issuerRef": {"name": "i", "kind": "Gadget", "group": "example.com"}},
        config({"domains": ["A.example.com."]} | DNS),
        config({"domains": ["a.example.com"], "http01": {"ingress": "", "ingressClass": "nginx"}}),
        {"keySize": 4096},
        {"keyAlgorithm": "rsa", "keySize": 8192},
        {"keyAlgorithm": "ecdsa"},
        {"duration": "1h", "renewBefore": "59m"},
    ],
)
def test_what_v05_took_is_taken(changes: Plain) -> None:
    assert certificate_errors(spec_of(changes)) == ()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"secretName": ""}, "spec.secretName: Required value: must be specified"),
        ({"issuerRef": {}}, "spec.issuerRef.name: Required value: must be specified"),
        (
            {"issuerRef": {"name": "i", "kind": "issuer"}},
            'spec.issuerRef.kind: Invalid value: "issuer": must be one of Issuer or ClusterIssuer',
        ),
        (
            {"dnsNames": []},
            "spec.dnsNames: Required value: at least one dnsName is required if commonName is not set",
        ),
        (
            {"dnsNames": ["a.example.com", "b.example.com"], **config({"domains": ["a.example.com"]} | DNS)},
            'spec.acme.config: Required value: no ACME solver configuration specified for domain "b.example.com"',
        ),
        (
            {"commonName": "c", **config({"domains": ["a.example.com"]} | DNS)},
            'spec.acme.config: Required value: no ACME solver configuration specified for domain "c"',
        ),
        (
            {"dnsNames": ["*.a"], **config({"domains": ["a"]} | DNS)},
            'spec.acme.config: Required value: no ACME solver configuration specified for domain "*.a"',
        ),
        (
            config({"domains": ["a.example.com"]}),
            "spec.acme.config[0]: Required value: at least one solver must be configured",
        ),
        (
            config({"domains": ["a.example.com"], "http01": {}} | DNS),
            "spec.acme.config[0].http01: Forbidden: may not specify more than one solver type",
        ),
        (
            config({"domains": ["a.example.com"], "dns01": {}}),
            "spec.acme.config[0].dns01.provider: Required value: provider name must be set",
        ),
        (
            config({"domains": ["a.example.com"], "http01": {"ingress": "i", "ingressClass": "c"}}),
            "spec.acme.config[0].http01: Forbidden: only one of 'ingress' and 'ingressClass' should be specified",
        ),
        (
            config({"domains": ["a.example.com"]} | DNS, DNS),
            "spec.acme.config[1].domains: Required value: at least one domain must be specified",
        ),
        ({"keySize": -1}, "spec.keySize: Invalid value: -1: cannot be less than zero"),
        (
            {"keyAlgorithm": "rsa", "keySize": 1024},
            "spec.keySize: Invalid value: 1024: must be between 2048 & 8192 for rsa keyAlgorithm",
        ),
        (
            {"keySize": 100},
            "spec.keySize: Invalid value: 100: must be between 2048 & 8192 for rsa keyAlgorithm",
        ),
        (
            {"keyAlgorithm": "ecdsa", "keySize": 300},
            'spec.keySize: Unsupported value: 300: supported values: "256", "384", "521"',
        ),
        (
            {"duration": "30m"},
            'spec.duration: Invalid value: "30m": certificate duration must be greater than 1h0m0s',
        ),
        (
            {"duration": "1h", "renewBefore": "1h"},
            'spec.renewBefore: Invalid value: "1h": certificate duration 1h must be greater than renewBefore 1h',
        ),
        (
            {"renewBefore": "1m"},
            'spec.renewBefore: Invalid value: "1m": certificate renewBefore must be greater than 5m0s',
        ),
    ],
)
def test_what_v05_refused_is_refused_in_its_words(changes: Plain, error: str) -> None:
    assert certificate_errors(spec_of(changes)) == (error,)


def test_a_duration_that_is_none_names_its_field() -> None:
    (error,) = certificate_errors(spec_of({"duration": "soon"}))

    assert error.startswith('spec.duration: Invalid value: "soon": ')


@pytest.mark.parametrize(
    ("changes", "issuer", "errors"),
    [
        ({"keyAlgorithm": "ecdsa"}, ACME, ()),
        ({"isCA": True}, ACME, ("spec.isCA: Invalid value: true: ACME issuers do not sign CA certificates",)),
        (
            {"organization": ["o", "p"]},
            ACME,
            ('spec.organization: Invalid value: []string{"o", "p"}: ACME issuers do not set the organization name',),
        ),
        (
            {"duration": "2160h"},
            ACME,
            ('spec.duration: Invalid value: "2160h": ACME issuers choose the duration themselves',),
        ),
        (
            {"ipAddresses": ["::1"]},
            ACME,
            ('spec.ipAddresses: Invalid value: []string{"::1"}: ACME issuers of this API do not sign IP addresses',),
        ),
        ({"isCA": True}, VAULT, ("spec.isCA: Invalid value: true: Vault issuers do not sign CA certificates",)),
        ({"duration": "2160h", "isCA": True, "organization": ["o"]}, CA, ()),
        ({"duration": "2160h"}, VAULT, ()),
    ],
)
def test_some_rules_hold_for_some_issuers(changes: Plain, issuer: cm.IssuerSpec, errors: tuple[str, ...]) -> None:
    assert certificate_errors_for(spec_of(changes), issuer) == errors


def test_one_error_stands_alone_and_several_in_brackets_each_once() -> None:
    assert validation_failed(("a",)) == "Resource validation failed: a"
    assert validation_failed(("a", "b", "a")) == "Resource validation failed: [a, b]"
