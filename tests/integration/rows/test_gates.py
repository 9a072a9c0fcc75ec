"""What feature gates change of Certificates."""

from __future__ import annotations

from cryptography import x509
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, controllers
from tests.integration.rows.test_fields import issued, with_ca
from tests.kubernetes.eventually import eventually

from certwright.api.meta import JSONObject
from certwright.rules.gates import read_gates

TELLS = read_gates(["UseCertificateRequestBasicConstraints=true"])
STAYS = read_gates(["DefaultPrivateKeyRotationPolicyAlways=false"])
ORDER = [x509.SubjectAlternativeName, x509.KeyUsage, x509.ExtendedKeyUsage, x509.BasicConstraints, x509.NameConstraints]


async def test_requests_tell_whether_they_are_for_a_ca(cluster: Cluster, user: User) -> None:
    more: JSONObject = {
        "isCA": True,
        "nameConstraints": {"permitted": {"dnsDomains": ["example.test"]}},
        "usages": ["digital signature", "server auth"],
    }
    async with controllers(cluster, gates=TELLS):
        await with_ca(user)
        await user.certificate("leaf", {"issuerRef": {"name": "ca"}})
        await user.certificate("sub", {"issuerRef": {"name": "ca"}, **more})
        found = {name: await issued(user, name) for name in ("leaf", "sub")}

    for name, (csr, certificate) in found.items():
        for each in (csr, certificate):
            basic = each.extensions.get_extension_for_class(x509.BasicConstraints)
            assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, name == "sub", None)
    assert [type(each.value) for each in found["sub"][0].extensions] == ORDER


async def test_requests_do_not_tell_it_without_the_gate(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        csr, _ = await issued(user, "root")

    assert x509.BasicConstraints not in {type(each.value) for each in csr.extensions}


async def test_switching_the_gate_issues_nothing_again(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("there")
        await user.until("there")
        await user.certificate("waiting", {"issuerRef": {"name": "late"}})
        await eventually(lambda: user.has_requests("there-1", "waiting-1"))
        await user.until("waiting", "True", kind="Issuing")
        await running.rest()
    before, requests = cluster.writes(agent(cluster)), await user.requests()

    async with controllers(cluster, gates=TELLS) as running:
        await running.rest()
        assert await user.requests() == requests
        await user.self_signed_issuer("late")
        await user.until("waiting")
        await user.calm(running)

    assert [each.metadata.uid for each in await user.requests()] == [each.metadata.uid for each in requests]
    written = cluster.writes(agent(cluster)) - before
    assert all(write.verb != "create" or write.resource == "events" for write in written)
    assert (await user.get("there")).status.revision == 1


async def test_a_key_without_a_policy_stays_where_the_gate_is_off(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, gates=STAYS):
        for name, key in (("stays", {}), ("changes", {"rotationPolicy": "Always"})):
            await user.certificate(name, {"privateKey": {"algorithm": "ECDSA", **key}})
        before = [await _renewed(user, name, 1) for name in ("stays", "changes")]
        await user.renew("stays")
        await user.renew("changes")
        after = [await _renewed(user, name, 2) for name in ("stays", "changes")]

    assert after[0] == before[0]
    assert after[1] != before[1]
    assert "Reused" in [reason for _, reason, _ in await user.events("stays")]


async def _renewed(user: User, name: str, revision: int) -> bytes:
    await user.until(name, revision=revision)
    return await user.key_digest(name)
