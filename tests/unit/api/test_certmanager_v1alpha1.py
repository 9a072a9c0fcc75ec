"""Objects of 2018 are read as generously as they were then, and faults are told of one object only."""

from __future__ import annotations

from typing import Any

import pytest

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.legacy_decoding import LegacyDecodeError
from certwright.api.legacy_dns01 import SecretKeySelector

Plain = dict[str, Any]  # JSON of a test case


def spec_of(spec: object) -> legacy.CertificateSpec:
    return legacy.decode_certificate({"metadata": {"name": "a"}, "spec": spec}).spec  # type: ignore[dict-item] # JSON


def issuer_of(spec: Plain) -> legacy.IssuerSpec:
    return legacy.decode_issuer({"metadata": {"name": "a"}, "spec": spec}).spec


def test_the_certificate_of_the_2018_post() -> None:
    spec = spec_of(
        {
            "secretName": "demo-certi-tls",
            "issuerRef": {"name": "cert-demo", "kind": "ClusterIssuer"},
            "dnsNames": ["test.hwchiu.com"],
            "acme": {"config": [{"dns01": {"provider": "cf-dns"}, "domains": ["test.hwchiu.com"]}]},
        }
    )

    assert spec == legacy.CertificateSpec(
        secret_name="demo-certi-tls",
        issuer_ref=legacy.ObjectReference(name="cert-demo", kind="ClusterIssuer"),
        dns_names=("test.hwchiu.com",),
        acme=legacy.CertificateAcme(
            config=(legacy.DomainSolver(domains=("test.hwchiu.com",), dns01=legacy.DNS01Choice(provider="cf-dns")),)
        ),
    )


def test_keys_match_without_regard_to_case() -> None:
    spec = issuer_of({"selfsigned": {}})

    assert spec.self_signed is not None


def test_the_exact_key_wins_over_one_in_other_case() -> None:
    assert spec_of({"secretname": "b", "SECRETNAME": "c", "secretName": "a"}).secret_name == "a"
    assert spec_of({"secretname": "b", "SECRETNAME": "c"}).secret_name == "b"


def test_null_and_empty_count_as_absent_but_an_empty_http01_enables_it() -> None:
    off = issuer_of(
        {"acme": {"server": "", "email": None, "http01": None, "privateKeySecretRef": {"name": "", "key": ""}}}
    )
    on = issuer_of({"acme": {"http01": {}}})

    assert off.acme == legacy.AcmeIssuer()
    assert on.acme == legacy.AcmeIssuer(http01=legacy.IssuerHTTP01())


def test_empty_structs_of_old_backups_count_as_absent() -> None:
    spec = issuer_of(
        {
            "vault": {
                "auth": {
                    "appRole": {"path": "", "roleId": "", "secretRef": {"name": "", "key": ""}},
                    "tokenSecretRef": {"name": "vault", "key": ""},
                }
            }
        }
    )

    assert spec.vault is not None
    assert spec.vault.auth == legacy.VaultAuth(token_secret_ref=SecretKeySelector(name="vault"))


def test_provider_blocks_of_both_generations_are_read() -> None:
    spec = issuer_of(
        {
            "acme": {
                "dns01": {"providers": [{"name": "g", "cloudDNS": {"project": "p"}}, {"name": "e", "azuredns": {}}]},
                "solvers": [{"dns01": {"acmedns": {"host": "h"}}, "selector": {"dnsZones": ["example.com"]}}],
            }
        }
    )

    assert spec.acme is not None
    assert spec.acme.dns01 is not None
    first, second = spec.acme.dns01.providers
    (solver,) = spec.acme.solvers
    assert (first.name, first.clouddns and first.clouddns.project) == ("g", "p")
    assert second.azuredns is not None
    assert solver.dns01 is not None
    assert solver.dns01.acmedns is not None
    assert solver.selector is not None
    assert solver.selector.dns_zones == ("example.com",)


@pytest.mark.parametrize("size", [2048, "2048", " 2048 "])
def test_a_key_size_in_quotes_is_a_number(size: object) -> None:
    assert spec_of({"keySize": size}).key_size == 2048


def test_enums_are_read_in_any_case() -> None:
    spec = spec_of({"keyAlgorithm": "ECDSA", "keyEncoding": "Pkcs8", "usages": ["Server Auth"]})

    assert (spec.key_algorithm, spec.key_encoding, spec.usages) == ("ecdsa", "pkcs8", ("server auth",))


def test_fields_of_later_versions_and_unknown_ones_do_no_harm() -> None:
    certificate = legacy.decode_certificate(
        {
            "metadata": {"name": "a", "selfLink": "/x", "clusterName": "", "generation": 3},
            "spec": {"duration": "2160h", "ipAddresses": ["10.0.0.1"], "keyEncoding": "pkcs8", "novel": 1},
            "status": {"notAfter": "2018-12-01T00:00:00Z", "acme": {"order": {"url": "https://acme/order/1"}}},
        }
    )

    assert certificate.spec.duration == "2160h"
    assert certificate.status.not_after is not None
    assert certificate.status.acme is not None
    assert certificate.status.acme.order == legacy.OrderStatus(url="https://acme/order/1")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"keySize": "big"}, "spec.keySize: Invalid value: must be an integer, is a string"),
        ({"keySize": True}, "spec.keySize: Invalid value: must be an integer, is true or false"),
        ({"isCA": "true"}, "spec.isCA: Invalid value: must be true or false, is a string"),
        ({"secretName": 5}, "spec.secretName: Invalid value: must be a string, is a number"),
        ({"dnsNames": "a"}, "spec.dnsNames: Invalid value: must be a list, is a string"),
        ({"dnsNames": ["a", {}]}, "spec.dnsNames[1]: Invalid value: must be a string, is an object"),
        ({"acme": {"config": [{}, {"http01": []}, {"http01": "x"}]}}, "spec.acme.config[2].http01: Invalid value"),
        ({"keyAlgorithm": "dsa"}, 'spec.keyAlgorithm: Unsupported value: "dsa": supported values: "rsa", "ecdsa"'),
        ("text", "spec: Invalid value: must be an object, is a string"),
    ],
)
def test_a_misfit_names_the_field(spec: object, message: str) -> None:
    with pytest.raises(LegacyDecodeError) as caught:
        spec_of(spec)

    assert str(caught.value).startswith(message)


def test_a_bad_time_is_told_too() -> None:
    with pytest.raises(LegacyDecodeError, match="notAfter"):
        legacy.decode_certificate({"status": {"notAfter": "yesterday"}})


def test_cluster_issuers_are_read_like_issuers() -> None:
    found = legacy.decode_cluster_issuer({"metadata": {"name": "a"}, "spec": {"ca": {"secretName": "ca"}}})

    assert found.kind == "ClusterIssuer"
    assert found.spec.ca == legacy.CAIssuer(secret_name="ca")
