"""The CRD's rules for issuers other than ACME."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from tests.unit.api.cel_judge import complaints

from certwright.api import certmanager_v1 as cm
from certwright.api import issuer_types as issuers

Plain = dict[str, Any]  # JSON of a test case

VAULT: Plain = {"server": "https://vault", "path": "pki/sign/role", "auth": {}}
REF: Plain = {"name": "s", "key": "k"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (cm.IssuerSpec, {"selfSigned": {}}),
        (cm.IssuerSpec, {"acme": {}}),
        (issuers.CAIssuer, {"secretName": "ca", "ocspServers": ["http://ocsp"], "crlDistributionPoints": []}),
        (issuers.SelfSignedIssuer, {}),
        (issuers.VaultIssuer, VAULT),
        (issuers.VaultIssuer, VAULT | {"path": "a..b/c", "caBundle": "", "caBundleSecretRef": REF}),
        (issuers.VaultIssuer, VAULT | {"clientCertSecretRef": REF, "clientKeySecretRef": REF}),
        (issuers.VaultAuth, {"tokenSecretRef": REF, "appRole": {}}),
        (issuers.VaultKubernetes, {"role": "r", "secretRef": {"name": ""}, "serviceAccountRef": {"name": "sa"}}),
        (issuers.VaultKubernetes, {"role": "r", "secretRef": REF}),
        (issuers.VenafiIssuer, {"zone": "z", "cloud": {}}),
        (issuers.VenafiTPP, {"url": "https://tpp", "caBundle": "eA=="}),
        (issuers.VenafiNGTS, {"tsgID": "1"}),
    ],
)
def test_good_issuers_pass(kind: type[Struct], value: Plain) -> None:
    assert complaints(kind, value) == []


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        (cm.IssuerSpec, {}, "exactly one"),
        (cm.IssuerSpec, {"acme": {}, "ca": {}}, "exactly one"),
        (cm.IssuerSpec, {"selfSigned": {}, "venafi": {}}, "exactly one"),
        (issuers.CAIssuer, {"secretName": ""}, "secretName"),
        (issuers.CAIssuer, {"secretName": "ca", "issuingCertificateURLs": ["http://a", ""]}, "issuingCertificateURLs"),
        (issuers.SelfSignedIssuer, {"crlDistributionPoints": [""]}, "crlDistributionPoints"),
        (issuers.VaultIssuer, VAULT | {"server": ""}, "server"),
        (issuers.VaultIssuer, VAULT | {"path": ""}, "path"),
        (issuers.VaultIssuer, VAULT | {"path": "pki/../sys"}, "path"),
        (issuers.VaultIssuer, VAULT | {"path": "pki/.."}, "path"),
        (issuers.VaultIssuer, VAULT | {"caBundle": "eA==", "caBundleSecretRef": REF}, "caBundle"),
        (issuers.VaultIssuer, VAULT | {"clientKeySecretRef": REF}, "clientCertSecretRef"),
        (issuers.VaultAuth, {}, "auth"),
        (issuers.VaultKubernetes, {"role": "", "secretRef": REF}, "role"),
        (issuers.VaultKubernetes, {"role": "r", "secretRef": {"name": ""}}, "token"),
        (issuers.VenafiIssuer, {"zone": "", "cloud": {}}, "zone"),
        (issuers.VenafiIssuer, {"zone": "z"}, "exactly one"),
        (issuers.VenafiIssuer, {"zone": "z", "cloud": {}, "tpp": {}}, "exactly one"),
        (issuers.VenafiTPP, {"url": ""}, "url"),
        (issuers.VenafiTPP, {"url": "https://tpp", "caBundle": "eA==", "caBundleSecretRef": REF}, "caBundle"),
        (issuers.VenafiNGTS, {"tsgID": ""}, "tsgID"),
    ],
)
def test_bad_issuers_are_refused_with_the_field_in_the_message(kind: type[Struct], value: Plain, word: str) -> None:
    found = complaints(kind, value)

    assert any(word in message for message in found)
