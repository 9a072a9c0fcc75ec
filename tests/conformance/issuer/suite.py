"""What every issuer type promises; a test class per type inherits it and says how its issuer is set up."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.cluster import Cluster as Server
from tests.integration.certificate.rig import User
from tests.integration.wiring import build_cluster, client_of
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.clock import SystemClock
from certwright.cluster.cluster import Cluster
from certwright.cluster.settings import Settings
from certwright.issuers.base import IssuerType, Outcome, RequestToSign, Signed, Verdict
from certwright.pki.certificate import Certificate, is_issued_by, parse_certificate
from certwright.pki.csr import parse_request
from certwright.pki.keys import ML_DSA, PrivateKey, public_key_digest
from certwright.pki.pem import split_certificates
from certwright.rules.hub import HubIssuer

TYPES: list[tuple[str, int]] = [("RSA", 2048), ("ECDSA", 256), ("ECDSA", 384), ("ECDSA", 521), ("Ed25519", 0)]
ML_DSA_TYPES = [(str(algorithm), 0) for algorithm in ML_DSA]


class IssuerSuite(ABC):
    """`lacks` names what an issuer type cannot do: usages, is_ca, duration, ca, other_names, ml_dsa."""

    lacks: frozenset[str] = frozenset()

    @abstractmethod
    async def prepare(self, user: User) -> HubIssuer:
        """Set up what the issuer needs, and describe it."""

    @abstractmethod
    def build(self, cluster: Cluster) -> IssuerType:
        """The issuer type."""

    async def offer_key(self, cluster: Cluster, request: RequestToSign, private_key: PrivateKey) -> None:  # noqa: B027
        """For types that sign with the request's own key: make it known."""

    @pytest.fixture
    async def parts(self, cluster: Server) -> AsyncIterator[tuple[Cluster, User]]:
        """What the type is built on, on the server under test."""
        await cluster.install_crds()
        clock = SystemClock()
        async with client_of(cluster, clock, f"issuer-suite/{cluster.namespace}") as client:
            settings = Settings(namespace=cluster.namespace, cluster_resource_namespace=cluster.namespace)
            yield build_cluster(client, clock, settings), User(client, cluster.namespace)

    async def signed(self, parts: tuple[Cluster, User], private_key: PrivateKey | None = None, **fields: Any) -> Signed:
        """The answer to a request, which must be a certificate."""
        answer = await self.ask(parts, private_key or key(), **fields)
        assert isinstance(answer, Signed), answer
        return answer

    async def ask(self, parts: tuple[Cluster, User], private_key: PrivateKey, **fields: Any) -> Outcome:
        """The answer to a request for that spec."""
        cluster, user = parts
        issuer = await self.prepare(user)
        request = self.request(user.namespace, private_key, **fields)
        await self.offer_key(cluster, request, private_key)
        return await self.build(cluster).sign(issuer, request)

    def request(self, namespace: str, private_key: PrivateKey, **fields: Any) -> RequestToSign:
        """A request for that spec."""
        wanted = spec(**fields)
        asked = cm.CertificateRequestSpec(
            issuer_ref=ObjectReference(name="x"),
            request=csr(wanted, private_key),
            usages=wanted.usages,
            is_ca=wanted.is_ca,
            duration=wanted.duration,
        )
        metadata = ObjectMeta(name="web-1", namespace=namespace, uid="u1")
        return RequestToSign(metadata=metadata, spec=asked, csr=parse_request(asked.request))

    async def verdict(self, parts: tuple[Cluster, User]) -> Verdict:
        """What a check of the issuer says."""
        cluster, user = parts
        return await self.build(cluster).check(await self.prepare(user))

    async def test_a_set_up_issuer_is_ready(self, parts: tuple[Cluster, User]) -> None:
        found = await self.verdict(parts)

        assert found.ready, found.message
        assert found.reason

    @pytest.mark.parametrize(("algorithm", "size"), TYPES + ML_DSA_TYPES)
    async def test_every_kind_of_key(self, parts: tuple[Cluster, User], algorithm: str, size: int) -> None:
        if algorithm in ML_DSA:
            self.needs("ml_dsa")
        private_key = key(algorithm, size)

        found = await self.signed(parts, private_key)

        assert leaf_of(found).public_key_digest == public_key_digest(private_key)

    async def test_names_are_those_of_the_request(self, parts: tuple[Cluster, User]) -> None:
        found = leaf_of(await self.signed(parts, dnsNames=["a.example.test", "*.b.example.test"]))

        assert sorted(found.names.dns_names) == ["*.b.example.test", "a.example.test"]

    async def test_the_chain_is_in_order_and_ends_below_a_root(self, parts: tuple[Cluster, User]) -> None:
        found = await self.signed(parts)

        ders = split_certificates(found.chain_pem, "the chain")
        assert all(is_issued_by(below, above) for below, above in itertools.pairwise(ders))
        if len(ders) > 1:
            assert not is_issued_by(ders[-1], ders[-1])
        if "ca" not in self.lacks:
            (authority,) = split_certificates(found.ca_pem, "the CA")
            assert is_issued_by(ders[-1], authority) or ders[-1] == authority

    async def test_usages_are_those_asked_for(self, parts: tuple[Cluster, User]) -> None:
        self.needs("usages")

        found = leaf_of(await self.signed(parts, usages=["server auth", "digital signature"]))

        assert set(found.usages.names()) == {"digital signature", "server auth"}

    async def test_a_leaf_is_no_ca_and_a_ca_is_one(self, parts: tuple[Cluster, User]) -> None:
        assert not leaf_of(await self.signed(parts)).is_ca
        self.needs("is_ca")

    async def test_a_ca_is_one(self, parts: tuple[Cluster, User]) -> None:
        self.needs("is_ca")

        found = leaf_of(await self.signed(parts, isCA=True, commonName="sub"))

        assert found.is_ca
        assert "cert sign" in found.usages.names()

    async def test_the_duration_asked_for(self, parts: tuple[Cluster, User]) -> None:
        self.needs("duration")

        found = leaf_of(await self.signed(parts, duration="2h"))

        assert found.not_after - found.not_before == timedelta(hours=2)

    async def test_other_names_survive(self, parts: tuple[Cluster, User]) -> None:
        self.needs("other_names")

        found = leaf_of(await self.signed(parts, otherNames=[{"oid": "1.2.3.4", "utf8Value": "x"}]))

        assert [(name.oid, name.value) for name in found.names.other_names] == [("1.2.3.4", "x")]

    async def test_serial_numbers_differ(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        issuer, issuers = await self.prepare(user), self.build(cluster)
        request = self.request(user.namespace, key())
        await self.offer_key(cluster, request, key())

        answers = [await issuers.sign(issuer, request) for _ in range(3)]

        assert len({leaf_of(answer).serial for answer in answers if isinstance(answer, Signed)}) == 3

    def needs(self, what: str) -> None:
        """Skip where the type lacks it."""
        if what in self.lacks:
            pytest.skip(f"this issuer type lacks: {what}")


def leaf_of(found: Signed) -> Certificate:
    """The certificate itself."""
    return parse_certificate(found.chain_pem)
