"""Which Secrets an issuer names."""

from __future__ import annotations

from typing import Any

import pytest

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import from_json
from certwright.rules.secret_references import secret_references

ACCOUNT = {"server": "https://ca", "privateKeySecretRef": {"name": "account"}}
CASES: dict[str, tuple[Any, set[tuple[str, str]]]] = {
    "self-signed": ({"selfSigned": {}}, set()),
    "ca": ({"ca": {"secretName": "pair"}}, {("pair", "")}),
    "acme": (
        {
            "acme": {
                **ACCOUNT,
                "externalAccountBinding": {"keyID": "k", "keySecretRef": {"name": "eab", "key": "mac"}},
                "solvers": [
                    {"dns01": {"rfc2136": {"nameserver": "ns", "tsigSecretSecretRef": {"name": "tsig", "key": "k"}}}},
                    {"dns01": {"rfc2136": {"nameserver": "ns", "tsigSecretSecretRef": {"name": ""}}}},
                ],
            }
        },
        {("account", ""), ("eab", "mac"), ("tsig", "k")},
    ),
    "a provider of ours": (
        {
            "acme": {
                **ACCOUNT,
                "solvers": [
                    {
                        "dns01": {
                            "webhook": {
                                "groupName": "dns01.certwright.io",
                                "solverName": "x",
                                "config": {"tokenSecretRef": {"name": "x", "key": "t"}, "deep": [{"aSecretRef": 1}]},
                            }
                        }
                    }
                ],
            }
        },
        {("account", ""), ("x", "t")},
    ),
    "vault": (
        {
            "vault": {
                "server": "https://vault",
                "path": "pki",
                "auth": {
                    "appRole": {"path": "p", "roleId": "r", "secretRef": {"name": "role"}},
                    "clientCertificate": {"secretName": "client"},
                },
                "caBundleSecretRef": {"name": "bundle"},
            }
        },
        {("role", ""), ("client", ""), ("bundle", "")},
    ),
    "venafi": ({"venafi": {"zone": "z", "tpp": {"url": "u", "credentialsRef": {"name": "tpp"}}}}, {("tpp", "")}),
}


@pytest.mark.parametrize(("spec", "wanted"), CASES.values(), ids=CASES)
def test_every_secret_is_found(spec: Any, wanted: set[tuple[str, str]]) -> None:
    found = secret_references(from_json(cm.IssuerSpec, spec))

    assert {(each.name, each.key) for each in found} == wanted
