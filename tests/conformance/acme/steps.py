"""What a client does with a CA, in the steps that the tests are made of."""

from __future__ import annotations

from tests.conformance.acme.ca import Rig
from tests.kubernetes.eventually import eventually

from certwright.acme.client.client import AcmeClient
from certwright.acme.protocol import challenges
from certwright.acme.protocol.flow import Granted, next_for_authorization
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import Authorization, ChallengeType, Identifier, NewOrder, Order, Status
from certwright.clock import SystemClock
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate

NAME = "www.example.test"
CONTACT = ("mailto:admin@example.test",)


def leaf_key() -> PrivateKey:
    return generate(KeySpec(KeyAlgorithm.ECDSA, 256))


def csr(key: PrivateKey, *names: str, addresses: tuple[str, ...] = ()) -> bytes:
    content = RequestContent(names=AlternativeNames(dns_names=names, ip_addresses=addresses))
    return pem.split(build_request(content, key), "it")[0].der


def wanted(*names: str) -> NewOrder:
    return NewOrder(tuple(Identifier("dns", name) for name in names))


async def prove(rig: Rig, client: AcmeClient, key: AccountKey, order: Order, kind: str = ChallengeType.DNS_01) -> None:
    """Win every authorization of the order that is not won yet."""
    for url in order.authorizations:
        authorization = await client.get_authorization(url)
        if authorization.status == Status.VALID:
            continue
        challenge = next(one for one in authorization.challenges if one.type == kind)
        proof = challenges.key_authorization(challenge.token, key.thumbprint)
        if kind == ChallengeType.DNS_01:
            rig.ca.set_txt(challenges.dns01_name(authorization.identifier.value), challenges.dns01_value(proof))
        else:
            rig.proofs[challenges.http01_path(challenge.token)] = proof
        await client.accept_challenge(challenge.url)
        decided = await decision(client, url)
        step = next_for_authorization(decided, challenge.url, SystemClock().now())
        assert isinstance(step, Granted), step


async def decision(client: AcmeClient, url: str) -> Authorization:
    async def look() -> Authorization | None:
        found = await client.get_authorization(url)
        return found if found.status != Status.PENDING else None

    return await eventually(look)


async def settled(client: AcmeClient, url: str, status: str) -> Order:
    async def look() -> Order | None:
        found = await client.get_order(url)
        return found if found.status == status else None

    return await eventually(look)


async def issue(rig: Rig, client: AcmeClient, key: AccountKey, wish: NewOrder) -> tuple[Order, PrivateKey]:
    """A valid order of a fresh key."""
    order = await client.new_order(wish)
    await prove(rig, client, key, order)
    certificate_key = leaf_key()
    ready = await settled(client, order.url, Status.READY)
    await client.finalize(ready, csr(certificate_key, *(one.value for one in wish.identifiers)))
    return await settled(client, order.url, Status.VALID), certificate_key
