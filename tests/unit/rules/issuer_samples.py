"""Issuers that can be and issuers that cannot, one row for each rule; judged by the rules and by API servers."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from tests.unit.rules.sample import NOW

from certwright.pki.authority import new_authority

Plain = dict[str, Any]

REF: Plain = {"name": "s", "key": "k"}
ACME: Plain = {"server": "https://acme.example/directory", "privateKeySecretRef": {"name": "account"}}
VAULT: Plain = {"server": "https://vault.example", "path": "pki/sign/role", "auth": {"tokenSecretRef": REF}}
TPP: Plain = {"url": "https://tpp.example", "credentialsRef": {"name": "s"}}
NGTS: Plain = {"tsgID": "1", "credentialsRef": {"name": "s"}}
AZURE: Plain = {"subscriptionID": "1", "resourceGroupName": "g"}
SP: Plain = {"clientID": "1", "tenantID": "2", "clientSecretSecretRef": REF}
BUNDLE = base64.b64encode(new_authority("bundle", NOW, timedelta(days=1)).cert_pem).decode()
NO_BUNDLE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\neA==\n-----END CERTIFICATE-----\n").decode()


def acme(**more: Any) -> Plain:
    """An ACME issuer."""
    return {"acme": {**ACME, **more}}


def solved(**solver: Any) -> Plain:
    """An ACME issuer with that one solver."""
    return acme(solvers=[solver])


def dns01(**block: Any) -> Plain:
    """An ACME issuer with a DNS-01 solver."""
    return solved(dns01=block)


def ingress(**block: Any) -> Plain:
    """An ACME issuer with an HTTP-01 solver for an Ingress."""
    return solved(http01={"ingress": block})


def gateway(**block: Any) -> Plain:
    """An ACME issuer with an HTTP-01 solver for a Gateway."""
    return solved(http01={"gatewayHTTPRoute": block})


def vault(**more: Any) -> Plain:
    """A Vault issuer."""
    return {"vault": {**VAULT, **more}}


def without(block: Plain, field: str) -> Plain:
    """The block without a field."""
    return {name: value for name, value in block.items() if name != field}


SOLVERS = "spec.acme.solvers[0]"
DNS01 = f"{SOLVERS}.dns01"
INGRESS = f"{SOLVERS}.http01.ingress"

GOOD: list[Plain] = [
    {"selfSigned": {}},
    {"selfSigned": {"crlDistributionPoints": ["http://crl.example"]}},
    {
        "ca": {
            "secretName": "ca",
            "ocspServers": ["http://ocsp.example"],
            "issuingCertificateURLs": ["http://ca.example"],
        }
    },
    acme(),
    acme(caBundle=BUNDLE, skipTLSVerify=False),
    acme(skipTLSVerify=True),
    acme(externalAccountBinding={"keyID": "1", "keySecretRef": REF}),
    ingress(),
    ingress(serviceType="ClusterIP", ingressClassName="nginx.internal"),
    ingress(**{"class": "azure/application-gateway"}),
    ingress(name="shared", serviceType="NodePort"),
    gateway(parentRefs=[{"name": "edge", "kind": "Gateway"}]),
    gateway(),
    solved(http01={"ingress": {}}, waitInsteadOfSelfCheck="0s"),
    solved(dns01={"digitalocean": {"tokenSecretRef": REF}}, waitInsteadOfSelfCheck="1m30s"),
    dns01(
        akamai={
            "serviceConsumerDomain": "a.example",
            "clientTokenSecretRef": REF,
            "clientSecretSecretRef": REF,
            "accessTokenSecretRef": REF,
        }
    ),
    dns01(cloudDNS={"project": "p"}, cnameStrategy="Follow"),
    dns01(cloudDNS={"project": "p", "serviceAccountSecretRef": REF}),
    dns01(cloudflare={"apiTokenSecretRef": REF}),
    dns01(cloudflare={"apiKeySecretRef": REF, "email": "ops@example.test"}),
    dns01(route53={"region": "eu-central-1"}),
    dns01(route53={"region": "eu-central-1", "accessKeyID": "AKIA", "secretAccessKeySecretRef": REF}),
    dns01(route53={"region": "eu-central-1", "accessKeyIDSecretRef": REF, "secretAccessKeySecretRef": REF}),
    dns01(azureDNS=AZURE),
    dns01(azureDNS=AZURE | SP),
    dns01(azureDNS=AZURE | {"managedIdentity": {"clientID": "1"}}),
    dns01(acmeDNS={"host": "https://acme-dns.example", "accountSecretRef": REF}),
    dns01(rfc2136={"nameserver": "10.0.0.1"}),
    dns01(rfc2136={"nameserver": "[2001:db8::1]:5353", "tsigSecretSecretRef": {"name": ""}}),
    dns01(
        rfc2136={
            "nameserver": "ns.example:53",
            "tsigKeyName": "k",
            "tsigSecretSecretRef": REF,
            "tsigAlgorithm": "hmacsha256",
        }
    ),
    dns01(webhook={"groupName": "g.example", "solverName": "s", "config": {"a": [1]}}),
    vault(),
    vault(caBundle=BUNDLE, namespace="team"),
    vault(caBundleSecretRef=REF, clientCertSecretRef=REF, clientKeySecretRef=REF),
    vault(auth={"appRole": {"path": "approle", "roleId": "r", "secretRef": REF}, "tokenSecretRef": REF}),
    vault(auth={"clientCertificate": {}}),
    vault(auth={"kubernetes": {"role": "r", "serviceAccountRef": {"name": "sa"}, "secretRef": {"name": ""}}}),
    vault(auth={"aws": {"role": "r"}}),
    vault(auth={"aws": {"role": "r", "serviceAccountRef": {"name": "sa"}, "iamRoleArn": "arn:aws:iam::1:role/r"}}),
    {"venafi": {"zone": "z", "tpp": TPP}},
    {"venafi": {"zone": "z", "cloud": {"apiTokenSecretRef": REF}}},
    {"venafi": {"zone": "z", "ngts": NGTS}},
]

BAD: list[tuple[Plain, str]] = [
    ({}, "spec"),
    ({"selfSigned": {}, "ca": {"secretName": "ca"}}, "spec.selfSigned"),
    ({"selfSigned": {"crlDistributionPoints": [""]}}, "spec.selfSigned.crlDistributionPoints[0]"),
    ({"ca": {"secretName": ""}}, "spec.ca.secretName"),
    ({"ca": {"secretName": "ca", "ocspServers": ["http://a", ""]}}, "spec.ca.ocspServers[1]"),
    ({"ca": {"secretName": "ca", "issuingCertificateURLs": [""]}}, "spec.ca.issuingCertificateURLs[0]"),
    ({"ca": {"secretName": "ca", "crlDistributionPoints": [""]}}, "spec.ca.crlDistributionPoints[0]"),
    (acme(server=""), "spec.acme.server"),
    (acme(privateKeySecretRef={"name": ""}), "spec.acme.privateKeySecretRef.name"),
    (acme(caBundle=BUNDLE, skipTLSVerify=True), "spec.acme.skipTLSVerify"),
    (acme(caBundle=NO_BUNDLE), "spec.acme.caBundle"),
    (acme(caBundle="eA=="), "spec.acme.caBundle"),
    (acme(externalAccountBinding={"keyID": "", "keySecretRef": REF}), "spec.acme.externalAccountBinding.keyID"),
    (
        acme(externalAccountBinding={"keyID": "1", "keySecretRef": {"name": "s"}}),
        "spec.acme.externalAccountBinding.keySecretRef.key",
    ),
    (solved(), SOLVERS),
    (solved(http01={"ingress": {}}, dns01={"cloudDNS": {"project": "p"}}), SOLVERS),
    (solved(http01={"ingress": {}}, waitInsteadOfSelfCheck="-1s"), f"{SOLVERS}.waitInsteadOfSelfCheck"),
    (solved(http01={"ingress": {}}, waitInsteadOfSelfCheck="soon"), f"{SOLVERS}.waitInsteadOfSelfCheck"),
    (solved(http01={}), f"{SOLVERS}.http01"),
    (solved(http01={"ingress": {}, "gatewayHTTPRoute": {}}), f"{SOLVERS}.http01"),
    (ingress(name="a", ingressClassName="b"), INGRESS),
    (ingress(**{"class": "a", "ingressClassName": "b"}), INGRESS),
    (ingress(ingressClassName="azure/application-gateway"), f"{INGRESS}.ingressClassName"),
    (ingress(serviceType="LoadBalancer"), f"{INGRESS}.serviceType"),
    (gateway(serviceType="ExternalName"), f"{SOLVERS}.http01.gatewayHTTPRoute.serviceType"),
    (gateway(parentRefs=[{"name": "", "kind": "Gateway"}]), f"{SOLVERS}.http01.gatewayHTTPRoute.parentRefs[0].name"),
    (gateway(parentRefs=[{"name": "g", "kind": ""}]), f"{SOLVERS}.http01.gatewayHTTPRoute.parentRefs[0].kind"),
    (dns01(), DNS01),
    (dns01(cloudDNS={"project": "p"}, webhook={"groupName": "g", "solverName": "s"}), f"{DNS01}.webhook"),
    (
        dns01(cloudDNS={"project": "p"}, acmeDNS={"host": "https://a.example", "accountSecretRef": REF}),
        f"{DNS01}.acmeDNS",
    ),
    (
        dns01(
            akamai={
                "serviceConsumerDomain": "",
                "clientTokenSecretRef": REF,
                "clientSecretSecretRef": REF,
                "accessTokenSecretRef": REF,
            }
        ),
        f"{DNS01}.akamai.serviceConsumerDomain",
    ),
    (
        dns01(
            akamai={
                "serviceConsumerDomain": "a.example",
                "clientTokenSecretRef": {"name": ""},
                "clientSecretSecretRef": REF,
                "accessTokenSecretRef": REF,
            }
        ),
        f"{DNS01}.akamai.clientTokenSecretRef.name",
    ),
    (dns01(cloudDNS={"project": ""}), f"{DNS01}.cloudDNS.project"),
    (
        dns01(cloudDNS={"project": "p", "serviceAccountSecretRef": {"name": "s"}}),
        f"{DNS01}.cloudDNS.serviceAccountSecretRef.key",
    ),
    (dns01(cloudflare={}), f"{DNS01}.cloudflare"),
    (
        dns01(cloudflare={"apiTokenSecretRef": REF, "apiKeySecretRef": REF, "email": "ops@example.test"}),
        f"{DNS01}.cloudflare",
    ),
    (dns01(cloudflare={"apiKeySecretRef": REF}), f"{DNS01}.cloudflare.email"),
    (dns01(cloudflare={"apiTokenSecretRef": {"name": "s"}}), f"{DNS01}.cloudflare.apiTokenSecretRef.key"),
    (
        dns01(route53={"region": "r", "accessKeyID": "AKIA", "accessKeyIDSecretRef": REF}),
        f"{DNS01}.route53.accessKeyID",
    ),
    (
        dns01(route53={"region": "r", "accessKeyIDSecretRef": {"name": "s"}}),
        f"{DNS01}.route53.accessKeyIDSecretRef.key",
    ),
    (dns01(azureDNS=AZURE | {"subscriptionID": ""}), f"{DNS01}.azureDNS.subscriptionID"),
    (dns01(azureDNS=AZURE | {"resourceGroupName": ""}), f"{DNS01}.azureDNS.resourceGroupName"),
    (dns01(azureDNS=AZURE | without(SP, "clientID")), f"{DNS01}.azureDNS.clientID"),
    (dns01(azureDNS=AZURE | without(SP, "tenantID")), f"{DNS01}.azureDNS.tenantID"),
    (
        dns01(azureDNS=AZURE | without(SP, "clientSecretSecretRef")),
        f"{DNS01}.azureDNS.clientSecretSecretRef.name",
    ),
    (dns01(azureDNS=AZURE | SP | {"managedIdentity": {}}), f"{DNS01}.azureDNS.managedIdentity"),
    (
        dns01(azureDNS=AZURE | {"managedIdentity": {"clientID": "1", "resourceID": "2"}}),
        f"{DNS01}.azureDNS.managedIdentity",
    ),
    (dns01(digitalocean={"tokenSecretRef": {"name": "s"}}), f"{DNS01}.digitalocean.tokenSecretRef.key"),
    (dns01(acmeDNS={"host": "", "accountSecretRef": REF}), f"{DNS01}.acmeDNS.host"),
    (dns01(rfc2136={"nameserver": ""}), f"{DNS01}.rfc2136.nameserver"),
    (dns01(rfc2136={"nameserver": "10.0.0.1:0"}), f"{DNS01}.rfc2136.nameserver"),
    (dns01(rfc2136={"nameserver": "10.0.0.1:70000"}), f"{DNS01}.rfc2136.nameserver"),
    (dns01(rfc2136={"nameserver": ":53"}), f"{DNS01}.rfc2136.nameserver"),
    (dns01(rfc2136={"nameserver": "[2001:db8::1"}), f"{DNS01}.rfc2136.nameserver"),
    (dns01(rfc2136={"nameserver": "10.0.0.1", "tsigKeyName": "k"}), f"{DNS01}.rfc2136.tsigSecretSecretRef.name"),
    (
        dns01(rfc2136={"nameserver": "10.0.0.1", "tsigSecretSecretRef": REF}),
        f"{DNS01}.rfc2136.tsigKeyName",
    ),
    (
        dns01(
            rfc2136={
                "nameserver": "10.0.0.1",
                "tsigKeyName": "k",
                "tsigSecretSecretRef": REF,
                "tsigAlgorithm": "HMACSHA3",
            }
        ),
        f"{DNS01}.rfc2136.tsigAlgorithm",
    ),
    (dns01(webhook={"groupName": "g", "solverName": ""}), f"{DNS01}.webhook.solverName"),
    (vault(server=""), "spec.vault.server"),
    (vault(path=""), "spec.vault.path"),
    (vault(path="pki/../sys"), "spec.vault.path"),
    (vault(caBundle="eA=="), "spec.vault.caBundle"),
    (vault(caBundle=BUNDLE, caBundleSecretRef=REF), "spec.vault.caBundleSecretRef"),
    (vault(clientCertSecretRef=REF), "spec.vault.clientKeySecretRef"),
    (vault(clientKeySecretRef=REF), "spec.vault.clientCertSecretRef"),
    (vault(auth={}), "spec.vault.auth"),
    (vault(auth={"appRole": {"path": "p", "roleId": "", "secretRef": REF}}), "spec.vault.auth.appRole.roleId"),
    (
        vault(auth={"appRole": {"path": "p", "roleId": "r", "secretRef": {"name": ""}}}),
        "spec.vault.auth.appRole.secretRef.name",
    ),
    (vault(auth={"kubernetes": {"role": "", "secretRef": REF}}), "spec.vault.auth.kubernetes.role"),
    (vault(auth={"kubernetes": {"role": "r"}}), "spec.vault.auth.kubernetes"),
    (
        vault(auth={"kubernetes": {"role": "r", "secretRef": REF, "serviceAccountRef": {"name": "sa"}}}),
        "spec.vault.auth.kubernetes",
    ),
    (
        vault(auth={"kubernetes": {"role": "r", "serviceAccountRef": {"name": ""}}}),
        "spec.vault.auth.kubernetes.serviceAccountRef.name",
    ),
    (vault(auth={"aws": {"role": ""}}), "spec.vault.auth.aws.role"),
    (
        vault(auth={"aws": {"role": "r", "serviceAccountRef": {"name": ""}, "iamRoleArn": "arn:aws:iam::1:role/r"}}),
        "spec.vault.auth.aws.serviceAccountRef.name",
    ),
    (
        vault(auth={"aws": {"role": "r", "serviceAccountRef": {"name": "sa"}}}),
        "spec.vault.auth.aws.iamRoleArn",
    ),
    ({"venafi": {"zone": "", "tpp": TPP}}, "spec.venafi.zone"),
    ({"venafi": {"zone": "z"}}, "spec.venafi"),
    ({"venafi": {"zone": "z", "tpp": TPP, "ngts": NGTS}}, "spec.venafi"),
    ({"venafi": {"zone": "z", "tpp": TPP | {"url": ""}}}, "spec.venafi.tpp.url"),
    (
        {"venafi": {"zone": "z", "tpp": TPP | {"caBundle": BUNDLE, "caBundleSecretRef": REF}}},
        "spec.venafi.tpp.caBundleSecretRef",
    ),
    ({"venafi": {"zone": "z", "ngts": NGTS | {"tsgID": ""}}}, "spec.venafi.ngts.tsgID"),
    (
        {"venafi": {"zone": "z", "ngts": NGTS | {"credentialsRef": {"name": ""}}}},
        "spec.venafi.ngts.credentialsRef.name",
    ),
]
