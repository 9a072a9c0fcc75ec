"""Whether the spec of an Issuer or ClusterIssuer can be: problems as sentences that name the field, and warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import issuer_types as types
from certwright.api.meta import SecretKeySelector
from certwright.pki import pem
from certwright.pki.certificate import parse_certificate_der
from certwright.pki.errors import PkiError
from certwright.rules.solver_validation import missing, secret_key_problems, solver_problems
from certwright.rules.validation import FORBIDDEN, REQUIRED, Problem

_UPWARDS = re.compile(r"(^|/)\.\.(/|$)")
_ONE_KIND = "An issuer is of one kind: set exactly one of acme, ca, vault, selfSigned, venafi."
_TWO_BUNDLES = "It excludes caBundle; use one of them."


def issuer_problems(spec: cm.IssuerSpec) -> tuple[Problem, ...]:
    """Everything that is wrong with an issuer."""
    return tuple(_issuer(spec))


def issuer_warnings(spec: cm.IssuerSpec) -> tuple[str, ...]:
    """What is allowed and will surprise."""
    binding = spec.acme.external_account_binding if spec.acme else None
    if binding is None or not binding.key_algorithm:
        return ()
    field = "spec.acme.externalAccountBinding.keyAlgorithm"
    return (f"{field} is deprecated and has no effect, HS256 is always used; take it out.",)


def _issuer(spec: cm.IssuerSpec) -> Iterator[Problem]:
    blocks: Mapping[str, Struct | None] = {
        "acme": spec.acme,
        "ca": spec.ca,
        "selfSigned": spec.self_signed,
        "vault": spec.vault,
        "venafi": spec.venafi,
    }
    given = [name for name, block in blocks.items() if block is not None]
    if not given:
        yield Problem("spec", _ONE_KIND, REQUIRED)
    for name in given[1:]:
        yield Problem(f"spec.{name}", _ONE_KIND, FORBIDDEN)
    if given:
        yield from _block(blocks[given[0]], f"spec.{given[0]}")


def _block(block: Struct | None, path: str) -> Iterator[Problem]:
    match block:
        case acme.AcmeIssuer():
            yield from _acme(block, path)
        case types.CAIssuer():
            yield from _ca(block, path)
        case types.SelfSignedIssuer():
            yield from _urls(f"{path}.crlDistributionPoints", block.crl_distribution_points)
        case types.VaultIssuer():
            yield from _vault(block, path)
        case types.VenafiIssuer():
            yield from _venafi(block, path)


def _acme(block: acme.AcmeIssuer, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.server", block.server, "the URL of the CA's directory")
    account = block.private_key_secret_ref.name
    yield from missing(f"{path}.privateKeySecretRef.name", account, "the Secret for the account key")
    if block.ca_bundle and block.skip_tls_verify:
        yield Problem(f"{path}.skipTLSVerify", "It excludes caBundle; use caBundle alone.")
    yield from _bundle(f"{path}.caBundle", block.ca_bundle)
    binding = block.external_account_binding
    if binding is not None:
        here = f"{path}.externalAccountBinding"
        yield from missing(f"{here}.keyID", binding.key_id, "the key id that the CA gave")
        yield from secret_key_problems(f"{here}.keySecretRef", binding.key_secret_ref)
    for at, solver in enumerate(block.solvers):
        yield from solver_problems(solver, f"{path}.solvers[{at}]")


def _bundle(field: str, bundle: bytes) -> Iterator[Problem]:
    if bundle and not _holds_certificate(bundle):
        text = "It holds no certificate that can be read; give PEM certificates, base64 encoded."
        yield Problem(field, text)


def _holds_certificate(bundle: bytes) -> bool:
    """Whether one can be read; as cert-manager's, this passes over others that cannot."""
    try:
        blocks = pem.split(bundle, "the bundle")
    except PkiError:
        return False
    return any(block.label == pem.CERTIFICATE and _is_certificate(block.der) for block in blocks)


def _is_certificate(data: bytes) -> bool:
    try:
        parse_certificate_der(data)
    except PkiError:
        return False
    return True


def _ca(block: types.CAIssuer, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.secretName", block.secret_name, "the Secret that holds the CA's key pair")
    yield from _urls(f"{path}.crlDistributionPoints", block.crl_distribution_points)
    yield from _urls(f"{path}.ocspServers", block.ocsp_servers)
    yield from _urls(f"{path}.issuingCertificateURLs", block.issuing_certificate_urls)


def _urls(field: str, urls: tuple[str, ...]) -> Iterator[Problem]:
    for at, url in enumerate(urls):
        if not url:
            yield Problem(f"{field}[{at}]", "The URL is empty; fill it in or take it out.")


def _vault(block: types.VaultIssuer, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.server", block.server, "the URL of Vault")
    yield from missing(f"{path}.path", block.path, "the signing path, such as pki/sign/my-role")
    if _UPWARDS.search(block.path):
        yield Problem(f"{path}.path", "It may not hold the segment ..; give the path itself.")
    yield from _bundle(f"{path}.caBundle", block.ca_bundle)
    if block.ca_bundle and block.ca_bundle_secret_ref is not None:
        yield Problem(f"{path}.caBundleSecretRef", _TWO_BUNDLES)
    pair = {"clientCertSecretRef": block.client_cert_secret_ref, "clientKeySecretRef": block.client_key_secret_ref}
    absent = [name for name, ref in pair.items() if ref is None]
    if len(absent) == 1:
        text = "clientCertSecretRef and clientKeySecretRef go together; set both or none."
        yield Problem(f"{path}.{absent[0]}", text, REQUIRED)
    yield from _vault_auth(block.auth, f"{path}.auth")


def _vault_auth(auth: types.VaultAuth, path: str) -> Iterator[Problem]:
    methods = (auth.token_secret_ref, auth.app_role, auth.client_certificate, auth.kubernetes, auth.aws)
    if not any(method is not None for method in methods):
        text = "Say how to sign in: tokenSecretRef, appRole, clientCertificate, kubernetes or aws."
        yield Problem(path, text, REQUIRED)
    if (app := auth.app_role) is not None:
        yield from missing(f"{path}.appRole.roleId", app.role_id, "the role id")
        yield from missing(f"{path}.appRole.secretRef.name", app.secret_ref.name, "the Secret of the secret id")
    if (kubernetes := auth.kubernetes) is not None:
        yield from _vault_kubernetes(kubernetes, f"{path}.kubernetes")
    if (aws := auth.aws) is not None:
        yield from missing(f"{path}.aws.role", aws.role, "the Vault role to take")
        if aws.service_account_ref is not None:
            name = aws.service_account_ref.name
            yield from missing(f"{path}.aws.serviceAccountRef.name", name, "the service account")
            role = "the IAM role that the service account's token is exchanged for"
            yield from missing(f"{path}.aws.iamRoleArn", aws.iam_role_arn, role)


def _vault_kubernetes(block: types.VaultKubernetes, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.role", block.role, "the Vault role to take")
    by_secret = _is_named(block.secret_ref)
    account = block.service_account_ref
    if account is not None:
        yield from missing(f"{path}.serviceAccountRef.name", account.name, "the service account")
    if by_secret and account is not None:
        yield Problem(path, "Give one token: serviceAccountRef (preferred) or secretRef.", FORBIDDEN)
    if not by_secret and account is None:
        yield Problem(path, "A token is missing; set serviceAccountRef (preferred) or secretRef.", REQUIRED)


def _is_named(ref: SecretKeySelector | None) -> bool:
    return ref is not None and ref.name != ""


def _venafi(block: types.VenafiIssuer, path: str) -> Iterator[Problem]:
    yield from missing(f"{path}.zone", block.zone, "the policy folder, or application and template")
    ends = {"tpp": block.tpp, "cloud": block.cloud, "ngts": block.ngts}
    given = [name for name, end in ends.items() if end is not None]
    if len(given) != 1:
        text = "Venafi has one back end: set exactly one of tpp, cloud, ngts."
        yield Problem(path, text, FORBIDDEN if given else REQUIRED)
    if block.tpp is not None:
        yield from missing(f"{path}.tpp.url", block.tpp.url, "the URL of the API")
        if block.tpp.ca_bundle and block.tpp.ca_bundle_secret_ref is not None:
            yield Problem(f"{path}.tpp.caBundleSecretRef", _TWO_BUNDLES, FORBIDDEN)
    if block.ngts is not None:
        yield from missing(f"{path}.ngts.tsgID", block.ngts.tsg_id, "the tenant service group")
        name = block.ngts.credentials_ref.name
        yield from missing(f"{path}.ngts.credentialsRef.name", name, "the Secret with client-id and client-secret")
