"""What an ACME issuance leaves here looks as cert-manager 1.21.1 writes it, down to the name of the Order."""

from __future__ import annotations

from tests.cluster import Cluster
from tests.integration.acme.world import TOKEN, own_world
from tests.integration.takeover.golden import RESOURCES, Past, Plain, golden, named, needs_golden
from tests.integration.takeover.rig import certwright, everything
from tests.integration.takeover.shape import managers, shape
from tests.kubernetes.eventually import eventually

from certwright.clock import SystemClock

pytestmark = needs_golden()

CLOUDFLARE = {"dns01": {"cloudflare": {"apiTokenSecretRef": {"name": "cloudflare", "key": "token"}}}}
LEFT = (
    "Certificate/acme-dns",
    "CertificateRequest/acme-dns-1",
    "Order/acme-dns-1-2307939483",
    "Secret/acme-dns",
    "Secret/acme-account",
    "Issuer/acme",
)
# Where the CA is, what it offers, and who solves it.
OF_THE_CA = (
    "status.url",
    "status.finalizeURL",
    "status.authorizations",
    "status.acme",
    "spec.acme",
    "spec.url",
    "spec.authorizationURL",
    "spec.token",
    "spec.key",
    "spec.solver",
    "spec.dnsName",
    "spec.wildcard",
    "status.reason",
    "status.presentedAt",
    # This CA names the first name in the subject too, and sorts.
    "metadata.annotations.cert-manager.io/alt-names",
    "metadata.annotations.cert-manager.io/common-name",
)
# cert-manager issued it through three controllers, of which one pass here has two names.
OTHER_MANAGERS = {("cert-manager-certificates-readiness", "Update", "status")}


async def test_all_but_the_ca_is_as_in_the_golden_objects(cluster: Cluster, past: Past) -> None:
    items = golden("settled.json")
    issuer, certificate = named(items, "Issuer", "acme"), named(items, "Certificate", "acme-dns")
    challenges = RESOURCES["Challenge"].path(cluster.namespace)

    async with own_world() as world:
        issuer["spec"]["acme"] |= {"server": world.directory, "solvers": [CLOUDFLARE]}
        token = {"metadata": {"name": "cloudflare"}, "stringData": {"token": TOKEN}}
        (await cluster.http.post(RESOURCES["Secret"].path(cluster.namespace), token)).ok  # noqa: B018 asserts success
        outside = {
            "trusted_ca_pem": world.trust_pem,
            "provider_endpoints": {"cloudflare": world.cloudflare.url},
            "recursive_nameservers": (world.dns.address,),
            "authoritative_addresses": {f"ns1.{zone}": world.dns.address for zone in world.zones},
        }
        async with cluster.http.watch(challenges) as watch, certwright(cluster, SystemClock(), outside):
            await past.restore([{**issuer, "status": {}}, {**certificate, "status": {}}])
            seen = [event.object for event in await watch.until("DELETED")]
            ours = await eventually(lambda: _settled(cluster))

    theirs = {f"{each['kind']}/{each['metadata']['name']}": each for each in items}
    for name in LEFT:
        assert _comparable(ours[name]) == _comparable(theirs[name]), name
        assert managers(ours[name]) <= managers(theirs[name]) | OTHER_MANAGERS, name
    _compare_challenge(seen)


def _compare_challenge(seen: list[Plain]) -> None:
    """While it was presented."""
    theirs = next(
        each
        for each in golden("acme-in-flight.json")
        if each["kind"] == "Challenge" and (each.get("status") or {}).get("presented")
    )
    ours = next(each for each in seen if (each.get("status") or {}).get("presented"))
    one, other = _comparable(ours), _comparable(theirs)
    for each in (one, other):
        each.pop("spec.type")
        [owner] = each["owners"]
        owner.pop("name")
    assert one == other
    assert managers(ours) == managers(theirs)


def _comparable(each: Plain) -> Plain:
    fields = shape(each)
    return {name: value for name, value in fields.items() if not name.startswith(OF_THE_CA)}


async def _settled(cluster: Cluster) -> dict[str, Plain] | None:
    """Everything, once the certificate is there and what led to it is cleared away."""
    found = await everything(cluster)
    is_clear = not any(name.startswith(("Challenge/", "Secret/acme-dns-")) for name in found)
    return found if is_clear and "Secret/acme-dns" in found and _revision(found) == 1 else None


def _revision(found: dict[str, Plain]) -> int | None:
    revision: int | None = (found["Certificate/acme-dns"].get("status") or {}).get("revision")
    return revision
