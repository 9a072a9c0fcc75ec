"""What v0.5 demanded of an Issuer or ClusterIssuer, in its words; the e-mail address is optional, as from v0.8 on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api import legacy_dns01 as dns01
from certwright.rules.legacy_field_errors import forbidden, required, unsupported

MUST = "must be specified"
TSIG_ALGORITHMS = ("HMACMD5", "HMACSHA1", "HMACSHA256", "HMACSHA512")


def issuer_errors(spec: legacy.IssuerSpec) -> tuple[str, ...]:
    """What is wrong with an issuer; empty where nothing is."""
    return tuple(_issuer(spec))


def _issuer(spec: legacy.IssuerSpec) -> Iterator[str]:
    types: tuple[tuple[str, Struct | None], ...] = (
        ("acme", spec.acme),
        ("ca", spec.ca),
        ("selfSigned", spec.self_signed),
        ("vault", spec.vault),
        ("venafi", spec.venafi),
    )
    given = [(name, block) for name, block in types if block is not None]
    if not given:
        yield required("spec", "at least one issuer must be configured")
    for index, (name, block) in enumerate(given):
        if index:
            yield forbidden(f"spec.{name}", "may not specify more than one issuer type")
        else:
            yield from _block(block, f"spec.{name}")


def _block(block: Struct | None, path: str) -> Iterator[str]:
    match block:
        case legacy.AcmeIssuer():
            yield from _acme(block, path)
        case legacy.CAIssuer(secret_name=""):
            yield required(f"{path}.secretName", MUST)
        case legacy.VaultIssuer():
            yield from _filled(path, server=block.server, path=block.path)
        case legacy.VenafiIssuer(zone=""):
            yield required(f"{path}.zone", MUST)


def _acme(block: legacy.AcmeIssuer, path: str) -> Iterator[str]:
    ref = block.private_key_secret_ref
    if ref is None or not ref.name:
        yield required(f"{path}.privateKeySecretRef.name", "private key secret name is a required field")
    if not block.server:
        yield required(f"{path}.server", "acme server URL is a required field")
    for index, provider in enumerate(block.dns01.providers if block.dns01 else ()):
        where = f"{path}.dns01.providers[{index}]"
        if not provider.name:
            yield required(f"{where}.name", "name must be specified")
        yield from _provider(provider, where)
    for index, solver in enumerate(block.solvers):
        yield from _solver(solver, f"{path}.solvers[{index}]")


def _solver(solver: legacy.Solver, path: str) -> Iterator[str]:
    if solver.http01 is not None and solver.dns01 is not None:
        yield forbidden(path, "may not specify more than one solver type in a single solver")
    elif solver.dns01 is not None:
        yield from _provider(solver.dns01, f"{path}.dns01")
    elif solver.http01 is None:
        yield required(path, "no solver type configured")


def _provider(block: dns01.DNS01, path: str) -> Iterator[str]:
    given = [name for name in PROVIDERS if getattr(block, name) is not None]
    if not given:
        yield required(path, "at least one provider must be configured")
    for index, name in enumerate(given):
        if index:
            yield forbidden(f"{path}.{name}", "may not specify more than one provider type")
        else:
            yield from PROVIDERS[name](getattr(block, name), f"{path}.{name}")


def _filled(path: str, /, **values: str) -> Iterator[str]:
    for name, value in values.items():
        if not value:
            yield required(f"{path}.{name}", MUST)


def _secret(ref: dns01.SecretKeySelector | None, path: str, optional: bool = False) -> Iterator[str]:
    if ref is None and optional:
        return
    if ref is None or not ref.name:
        yield required(f"{path}.name", "secret name is required")
    if ref is None or not ref.key:
        yield required(f"{path}.key", "secret key is required")


def _akamai(block: dns01.Akamai, path: str) -> Iterator[str]:
    # v0.5 named these fields without their ending.
    yield from _secret(block.access_token_secret_ref, f"{path}.accessToken")
    yield from _secret(block.client_secret_secret_ref, f"{path}.clientSecret")
    yield from _secret(block.client_token_secret_ref, f"{path}.clientToken")
    yield from _filled(path, serviceConsumerDomain=block.service_consumer_domain)


def _clouddns(block: dns01.CloudDNS, path: str) -> Iterator[str]:
    yield from _secret(block.service_account_secret_ref, f"{path}.serviceAccountSecretRef", optional=True)
    yield from _filled(path, project=block.project)


def _cloudflare(block: dns01.Cloudflare, path: str) -> Iterator[str]:
    yield from _secret(block.api_key_secret_ref, f"{path}.apiKeySecretRef")
    yield from _filled(path, email=block.email)


def _route53(block: dns01.Route53, path: str) -> Iterator[str]:
    yield from _filled(path, region=block.region)
    yield from _secret(block.secret_access_key_secret_ref, f"{path}.secretAccessKeySecretRef", optional=True)


def _azuredns(block: dns01.AzureDNS, path: str) -> Iterator[str]:
    yield from _secret(block.client_secret_secret_ref, f"{path}.clientSecretSecretRef")
    yield from _filled(
        path,
        clientID=block.client_id,
        subscriptionID=block.subscription_id,
        tenantID=block.tenant_id,
        resourceGroupName=block.resource_group_name,
    )


def _acmedns(block: dns01.AcmeDNS, path: str) -> Iterator[str]:
    yield from _secret(block.account_secret_ref, f"{path}.accountSecretRef")
    yield from _filled(path, host=block.host)


def _digitalocean(block: dns01.DigitalOcean, path: str) -> Iterator[str]:
    yield from _secret(block.token_secret_ref, f"{path}.tokenSecretRef")


def _rfc2136(block: dns01.RFC2136, path: str) -> Iterator[str]:
    yield from _filled(path, nameserver=block.nameserver)
    algorithm = block.tsig_algorithm
    if algorithm and algorithm.upper() not in TSIG_ALGORITHMS:
        yield unsupported(f"{path}.tsigAlgorithm", algorithm, TSIG_ALGORITHMS)
    if block.tsig_key_name and block.tsig_secret_secret_ref is None:
        yield from _secret(None, f"{path}.tsigSecretSecretRef")
    elif block.tsig_secret_secret_ref is not None:
        yield from _secret(block.tsig_secret_secret_ref, f"{path}.tsigSecretSecretRef")
        yield from _filled(path, tsigKeyName=block.tsig_key_name)


def _webhook(block: dns01.Webhook, path: str) -> Iterator[str]:
    yield from _filled(path, groupName=block.group_name, solverName=block.solver_name)


PROVIDERS: Mapping[str, Callable[..., Iterator[str]]] = {
    "akamai": _akamai,
    "clouddns": _clouddns,
    "cloudflare": _cloudflare,
    "route53": _route53,
    "azuredns": _azuredns,
    "digitalocean": _digitalocean,
    "acmedns": _acmedns,
    "rfc2136": _rfc2136,
    "webhook": _webhook,
}

V1_SERVERS: Mapping[str, str] = {
    "https://acme-v01.api.letsencrypt.org/directory": "https://acme-v02.api.letsencrypt.org/directory",
    "https://acme-staging.api.letsencrypt.org/directory": "https://acme-staging-v02.api.letsencrypt.org/directory",
}


def outdated_server(spec: legacy.IssuerSpec) -> str:
    """What to do about an ACME server that speaks the version of before RFC 8555; empty where it is none."""
    server = spec.acme.server if spec.acme else ""
    if (successor := V1_SERVERS.get(server.rstrip("/"))) is None:
        return ""
    return (
        f"Your ACME server URL is set to a v1 endpoint ({server}). "
        f'You should update the spec.acme.server field to "{successor}"'
    )
