"""A legacy issuer is judged by v0.5's rules, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.rules.legacy_issuer_validation import issuer_errors, outdated_server

Plain = dict[str, Any]  # JSON of a test case

REF: Plain = {"name": "s", "key": "k"}
ACME: Plain = {"server": "https://acme", "privateKeySecretRef": {"name": "k"}}
NAME = "Required value: secret name is required"
KEY = "Required value: secret key is required"
MUST = "Required value: must be specified"
PROVIDER = "spec.acme.dns01.providers[0]"


def errors(spec: Plain) -> tuple[str, ...]:
    return issuer_errors(legacy.decode_issuer({"spec": spec}).spec)


def with_provider(**block: Plain) -> Plain:
    return {"acme": ACME | {"dns01": {"providers": [{"name": "p", **block}]}}}


@pytest.mark.parametrize(
    "spec",
    [
        {"selfsigned": {}},
        {"acme": ACME},
        {"ca": {"secretName": "ca"}},
        {"vault": {"server": "v", "path": "p", "auth": {}}},
        with_provider(clouddns={"project": "p"}),
        with_provider(route53={"region": "r", "secretAccessKeySecretRef": {"name": "", "key": ""}}),
        with_provider(cloudflare={"email": "e", "apiKeySecretRef": REF}),
        with_provider(rfc2136={"nameserver": "n", "tsigAlgorithm": "hmacsha256"}),
        with_provider(rfc2136={"nameserver": "n", "tsigKeyName": "k", "tsigSecretSecretRef": REF}),
        with_provider(acmedns={"host": "h", "accountSecretRef": REF}),
        with_provider(digitalocean={"tokenSecretRef": REF}),
        with_provider(webhook={"groupName": "g", "solverName": "s"}),
        {"acme": ACME | {"solvers": [{"http01": {"ingress": {}}}]}},
    ],
)
def test_what_v05_took_is_taken(spec: Plain) -> None:
    assert errors(spec) == ()


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, ("spec: Required value: at least one issuer must be configured",)),
        (
            {"selfSigned": {}, "ca": {"secretName": "ca"}},
            ("spec.selfSigned: Forbidden: may not specify more than one issuer type",),
        ),
        (
            {"acme": {}},
            (
                "spec.acme.privateKeySecretRef.name: Required value: private key secret name is a required field",
                "spec.acme.server: Required value: acme server URL is a required field",
            ),
        ),
        ({"ca": {}}, (f"spec.ca.secretName: {MUST}",)),
        ({"vault": {"auth": {}}}, (f"spec.vault.server: {MUST}", f"spec.vault.path: {MUST}")),
        ({"venafi": {}}, (f"spec.venafi.zone: {MUST}",)),
        (with_provider(), (f"{PROVIDER}: Required value: at least one provider must be configured",)),
        (
            with_provider(clouddns={"project": "p"}, route53={"region": "r"}),
            (f"{PROVIDER}.route53: Forbidden: may not specify more than one provider type",),
        ),
        (
            with_provider(cloudflare={}),
            (
                f"{PROVIDER}.cloudflare.apiKeySecretRef.name: {NAME}",
                f"{PROVIDER}.cloudflare.apiKeySecretRef.key: {KEY}",
                f"{PROVIDER}.cloudflare.email: {MUST}",
            ),
        ),
        (
            with_provider(clouddns={"serviceAccountSecretRef": {"name": "s"}}),
            (f"{PROVIDER}.clouddns.serviceAccountSecretRef.key: {KEY}", f"{PROVIDER}.clouddns.project: {MUST}"),
        ),
        (
            with_provider(akamai={"accessTokenSecretRef": REF, "clientSecretSecretRef": REF}),
            (
                f"{PROVIDER}.akamai.clientToken.name: {NAME}",
                f"{PROVIDER}.akamai.clientToken.key: {KEY}",
                f"{PROVIDER}.akamai.serviceConsumerDomain: {MUST}",
            ),
        ),
        (
            with_provider(azuredns={"clientSecretSecretRef": REF, "clientID": "c", "tenantID": "t"}),
            (f"{PROVIDER}.azuredns.subscriptionID: {MUST}", f"{PROVIDER}.azuredns.resourceGroupName: {MUST}"),
        ),
        (
            with_provider(rfc2136={"tsigAlgorithm": "md4"}),
            (
                f"{PROVIDER}.rfc2136.nameserver: {MUST}",
                f'{PROVIDER}.rfc2136.tsigAlgorithm: Unsupported value: "md4": '
                'supported values: "HMACMD5", "HMACSHA1", "HMACSHA256", "HMACSHA512"',
            ),
        ),
        (
            with_provider(rfc2136={"nameserver": "n", "tsigSecretSecretRef": REF}),
            (f"{PROVIDER}.rfc2136.tsigKeyName: {MUST}",),
        ),
        (
            {"acme": ACME | {"dns01": {"providers": [{"clouddns": {"project": "p"}}]}}},
            (f"{PROVIDER}.name: Required value: name must be specified",),
        ),
        ({"acme": ACME | {"solvers": [{}]}}, ("spec.acme.solvers[0]: Required value: no solver type configured",)),
    ],
)
def test_what_v05_refused_is_refused_in_its_words(spec: Plain, found: tuple[str, ...]) -> None:
    assert errors(spec) == found


@pytest.mark.parametrize("end", ["", "/"])
def test_a_server_of_before_rfc_8555_is_named_with_its_successor(end: str) -> None:
    spec = legacy.decode_issuer({"spec": {"acme": {"server": f"https://acme-v01.api.letsencrypt.org/directory{end}"}}})

    assert '"https://acme-v02.api.letsencrypt.org/directory"' in outdated_server(spec.spec)


def test_other_servers_are_fine() -> None:
    assert outdated_server(legacy.decode_issuer({"spec": {"acme": ACME}}).spec) == ""
