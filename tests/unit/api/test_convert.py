"""Legacy specs in their v1 form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.certmanager_v1 import CertificateSpec
from certwright.api.convert import SolverChoice, convert_certificate, convert_issuer, convert_solver_choice
from certwright.api.meta import to_json

Plain = dict[str, Any]  # JSON of a test case

LABEL = "certmanager.k8s.io/acme-dns01-provider"
REF: Plain = {"name": "s", "key": "k"}
CLOUDFLARE: Plain = {"email": "a@example.com", "apiKeySecretRef": REF}


def certificate(spec: Plain, issuer: Plain | None = None) -> CertificateSpec:
    basis: Plain = {"secretName": "s", "issuerRef": {"name": "i"}}
    decoded = legacy.decode_certificate({"spec": basis | spec})
    return convert_certificate(decoded.spec, legacy.decode_issuer({"spec": issuer}).spec if issuer else None)


def issuer(spec: Plain) -> Plain:
    return to_json(convert_issuer(legacy.decode_issuer({"spec": spec}).spec))


def choice(*config: Plain) -> SolverChoice:
    spec = legacy.decode_certificate({"spec": {"acme": {"config": list(config)}}}).spec
    return convert_solver_choice(spec.acme.config if spec.acme else ())


@pytest.mark.parametrize(
    ("names", "common_name", "dns_names"),
    [
        ({"dnsNames": ["a", "b"]}, "a", ("a", "b")),
        ({"commonName": "b", "dnsNames": ["a", "b"]}, "b", ("b", "a")),
        ({"commonName": "c"}, "c", ("c",)),
        ({"dnsNames": ["x" * 65]}, "", ("x" * 65,)),
    ],
)
def test_the_common_name_is_given_and_is_among_the_names(
    names: Plain, common_name: str, dns_names: tuple[str, ...]
) -> None:
    converted = certificate(names)

    assert (converted.common_name, converted.dns_names) == (common_name, dns_names)


def test_the_key_is_kept_for_ever_and_the_organization_is_that_of_old() -> None:
    converted = certificate({"keyAlgorithm": "ecdsa", "keySize": 384, "keyEncoding": "pkcs8"})

    assert to_json(converted) == {
        "subject": {"organizations": ["cert-manager"]},
        "renewBefore": "720h0m0s",
        "secretName": "s",
        "issuerRef": {"name": "i"},
        "privateKey": {"rotationPolicy": "Never", "encoding": "PKCS8", "algorithm": "ECDSA", "size": 384},
    }


@pytest.mark.parametrize(
    ("spec", "issuer", "duration", "renew_before"),
    [
        ({}, None, None, "720h0m0s"),
        ({}, {"acme": {}}, None, "720h0m0s"),
        ({}, {"vault": {}}, None, "720h0m0s"),
        ({}, {"ca": {}}, "8760h0m0s", "720h0m0s"),
        ({}, {"selfSigned": {}}, "8760h0m0s", "720h0m0s"),
        ({"duration": "1h", "renewBefore": "59m"}, {"ca": {}}, "1h", "59m"),
        ({"duration": "24h"}, {"ca": {}}, "24h", None),
    ],
)
def test_validity_is_that_of_old(
    spec: Plain, issuer: Plain | None, duration: str | None, renew_before: str | None
) -> None:
    converted = certificate(spec, issuer)

    assert (converted.duration, converted.renew_before) == (duration, renew_before)


def test_the_flag_of_old_sets_the_renewal_lead() -> None:
    spec = legacy.decode_certificate({"spec": {}}).spec

    assert convert_certificate(spec, renew_before=timedelta(hours=48)).renew_before == "48h0m0s"


@pytest.mark.parametrize(
    ("group", "converted"),
    [("", ""), ("certmanager.k8s.io", ""), ("cert-manager.io", "cert-manager.io"), ("example.com", "example.com")],
)
def test_a_reference_within_the_legacy_group_loses_it(group: str, converted: str) -> None:
    assert certificate({"issuerRef": {"name": "i", "group": group}}).issuer_ref.group == converted


def test_one_provider_becomes_a_label() -> None:
    found = choice({"domains": ["a"], "dns01": {"provider": "p"}}, {"domains": ["b"], "dns01": {"provider": "p"}})

    assert found == SolverChoice(labels={LABEL: "p"})


@pytest.mark.parametrize(
    ("http01", "annotations"),
    [
        ({"ingress": "web"}, {"acme.cert-manager.io/http01-override-ingress-name": "web"}),
        ({"ingress": "", "ingressClass": "nginx"}, {"acme.cert-manager.io/http01-override-ingress-class": "nginx"}),
        ({}, {}),
    ],
)
def test_one_ingress_or_class_becomes_an_annotation(http01: Plain, annotations: Plain) -> None:
    assert choice({"domains": ["a"], "http01": http01}) == SolverChoice(annotations=annotations)


def test_different_solvers_cannot_be_said() -> None:
    found = choice({"domains": ["a"], "http01": {}}, {"domains": ["b"], "dns01": {"provider": "p"}})

    assert (found.labels, found.annotations) == ({}, {})
    assert "selector.dnsNames" in found.unsaid[0]


def test_a_single_provider_serves_all() -> None:
    converted = issuer(
        {
            "acme": {
                "server": "https://acme",
                "email": "a@example.com",
                "privateKeySecretRef": {"name": "account"},
                "dns01": {"providers": [{"name": "cf", "cloudflare": CLOUDFLARE}]},
            }
        }
    )

    assert converted == {
        "acme": {
            "email": "a@example.com",
            "server": "https://acme",
            "privateKeySecretRef": {"name": "account"},
            "solvers": [{"dns01": {"cnameStrategy": "Follow", "cloudflare": CLOUDFLARE}}],
        }
    }


def test_several_providers_are_chosen_by_label_and_the_first_of_a_name_wins() -> None:
    converted = issuer(
        {
            "acme": {
                "http01": {"serviceType": "ClusterIP"},
                "dns01": {
                    "providers": [
                        {"name": "g", "clouddns": {"project": "p"}, "cnameStrategy": "None"},
                        {"name": "a", "azuredns": {"subscriptionID": "1", "resourceGroupName": "r"}},
                        {"name": "g", "acmedns": {"host": "h"}},
                    ]
                },
                "solvers": [{"selector": {"dnsNames": ["n"]}, "dns01": {"acmedns": {"host": "h"}}}],
            }
        }
    )

    assert converted["acme"]["solvers"] == [
        {
            "selector": {"dnsNames": ["n"]},
            "dns01": {"cnameStrategy": "Follow", "acmeDNS": {"host": "h", "accountSecretRef": {"name": ""}}},
        },
        {"http01": {"ingress": {"serviceType": "ClusterIP"}}},
        {
            "selector": {"matchLabels": {LABEL: "g"}},
            "dns01": {"cnameStrategy": "None", "cloudDNS": {"project": "p"}},
        },
        {
            "selector": {"matchLabels": {LABEL: "a"}},
            "dns01": {"cnameStrategy": "Follow", "azureDNS": {"subscriptionID": "1", "resourceGroupName": "r"}},
        },
    ]


@pytest.mark.parametrize(
    ("spec", "converted"),
    [
        ({"selfSigned": {}}, {"selfSigned": {}}),
        ({"ca": {"secretName": "ca"}}, {"ca": {"secretName": "ca"}}),
        (
            {"vault": {"server": "v", "path": "p", "auth": {"tokenSecretRef": {"name": "t"}}}},
            {"vault": {"auth": {"tokenSecretRef": {"name": "t", "key": "token"}}, "server": "v", "path": "p"}},
        ),
        (
            {"vault": {"server": "v", "path": "p", "auth": {"appRole": {"roleId": "r", "secretRef": {"name": "t"}}}}},
            {
                "vault": {
                    "auth": {
                        "appRole": {"path": "approle", "roleId": "r", "secretRef": {"name": "t", "key": "secretId"}}
                    },
                    "server": "v",
                    "path": "p",
                }
            },
        ),
        (
            {"venafi": {"zone": "z", "cloud": {"apiTokenSecretRef": REF}}},
            {"venafi": {"zone": "z", "cloud": {"apiTokenSecretRef": REF}}},
        ),
    ],
)
def test_other_issuers_keep_their_form(spec: Plain, converted: Plain) -> None:
    assert issuer(spec) == converted


def test_what_is_missing_stays_empty_for_validation_to_name() -> None:
    assert issuer({"acme": {}}) == {"acme": {"server": "", "privateKeySecretRef": {"name": ""}}}
