"""The CA issuer keeps what every issuer promises, and words of its own."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conformance.issuer.suite import IssuerSuite, leaf_of
from tests.integration.certificate.rig import User
from tests.integration.wiring import background
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.issuer_types import CAIssuer
from certwright.api.meta import Condition, JSONObject, ObjectMeta
from certwright.clock import SystemClock
from certwright.cluster.cluster import Cluster
from certwright.issuers.base import IssuerType, Pending, Signed
from certwright.issuers.ca import CA, SigningPair, read_pair
from certwright.kube.wire.status import NotFound
from certwright.pki import pem
from certwright.pki.certificate import is_issued_by, parse_certificate
from certwright.pki.csr import parse_request
from certwright.pki.issuance import Terms, sign, sign_with_own_key, signer_from
from certwright.pki.keys import ML_DSA, PrivateKey, encode_private_key
from certwright.rules.gates import read_gates
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey

AUTHORITY = key("ECDSA", 384)
INTERMEDIATE = key("ECDSA", 256, 7)
YEARS = timedelta(days=3650)
LEAVES = {"crl_distribution_points": ("http://crl.example.test",), "ocsp_servers": ("http://ocsp.example.test",)}


def root(life: timedelta = YEARS, *, is_ca: bool = True, authority: PrivateKey = AUTHORITY) -> bytes:
    """A root's certificate, DER."""
    request = parse_request(csr(spec(commonName="root", dnsNames=None, isCA=is_ca), authority))
    return sign_with_own_key(request, authority, Terms(is_ca=is_ca, lifetime=life), SystemClock().now())


def with_gate(cluster: Cluster) -> Cluster:
    """The same with ML-DSA switched on."""
    return replace(cluster, settings=replace(cluster.settings, gates=read_gates(["MLDSA=true"])))


def intermediate(above: bytes) -> bytes:
    """A CA's certificate below a root, DER."""
    request = parse_request(csr(spec(commonName="intermediate", dnsNames=None, isCA=True), INTERMEDIATE))
    signer = signer_from(above, AUTHORITY)
    return sign(request, signer, Terms(is_ca=True, lifetime=YEARS), SystemClock().now())


class TestCA(IssuerSuite):
    async def prepare(self, user: User) -> HubIssuer:
        return await self.with_pair(user, [root()], AUTHORITY)

    async def with_pair(self, user: User, chain: list[bytes], private_key: PrivateKey, ca: bytes = b"") -> HubIssuer:
        """An issuer whose Secret holds that."""
        values = {"tls.crt": pem.write_certificates(chain), "tls.key": encode_private_key(private_key)}
        if ca:
            values["ca.crt"] = pem.write_certificates([ca])
        return await self.with_secret(user, values)

    async def with_secret(self, user: User, values: dict[str, bytes]) -> HubIssuer:
        data: JSONObject = {name: base64.b64encode(value).decode() for name, value in values.items()}
        body: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pair"}, "data": data}
        try:
            await user.client.merge_patch(SECRET, user.key("pair"), {"data": data})
        except NotFound:
            await user.client.create(SECRET, body, user.namespace)
        return self.issuer(user)

    def issuer(self, user: User, **fields: Any) -> HubIssuer:
        name = IssuerKey(Dialect.MODERN, "Issuer", user.namespace, "ca")
        wanted = cm.IssuerSpec(ca=CAIssuer(secret_name="pair", **(LEAVES | fields)))
        return HubIssuer(key=name, metadata=ObjectMeta(name="ca", namespace=user.namespace), spec=wanted)

    def build(self, cluster: Cluster) -> IssuerType:
        return CA(cluster)

    async def test_the_root_is_the_ca_and_not_in_the_chain(self, parts: tuple[Cluster, User]) -> None:
        found = await self.signed(parts)

        assert len(pem.split_certificates(found.chain_pem, "")) == 1
        assert parse_certificate(found.ca_pem).subject_text == "CN=root"
        assert leaf_of(found).authority_key_id == parse_certificate(found.ca_pem).subject_key_id

    @pytest.mark.parametrize("known", [True, False], ids=["root in ca.crt", "root unknown"])
    async def test_an_intermediate_stands_in_the_chain(self, parts: tuple[Cluster, User], known: bool) -> None:
        cluster, user = parts
        above = root()
        issuer = await self.with_pair(user, [intermediate(above)], INTERMEDIATE, above if known else b"")

        found = await self.build(cluster).sign(issuer, self.request(user.namespace, key()))

        assert isinstance(found, Signed)
        assert len(pem.split_certificates(found.chain_pem, "")) == 2
        assert parse_certificate(found.ca_pem).subject_text == ("CN=root" if known else "CN=intermediate")

    @pytest.mark.parametrize("algorithm", ["Ed25519", *ML_DSA])
    @pytest.mark.parametrize("below", ["ECDSA", "Ed25519", "ML-DSA-44"])
    async def test_a_ca_of_any_kind_signs_leaves_of_every_kind(
        self, parts: tuple[Cluster, User], algorithm: str, below: str
    ) -> None:
        cluster, user = with_gate(parts[0]), parts[1]
        authority = key(algorithm, 0)
        issuer = await self.with_pair(user, [root(authority=authority)], authority)
        asked = self.request(user.namespace, key(below, 0))

        found = await self.build(cluster).sign(issuer, asked)

        assert isinstance(found, Signed)
        assert is_issued_by(*(pem.split_certificates(text, "")[0] for text in (found.chain_pem, found.ca_pem)))
        signature = "PureEd25519" if algorithm == "Ed25519" else algorithm
        assert leaf_of(found).signature_algorithm == signature

    async def test_a_ca_of_ml_dsa_signs_behind_its_gate_alone(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        authority = key("ML-DSA-65", 0)
        issuer = await self.with_pair(user, [root(authority=authority)], authority)

        verdict, gated = await self.build(cluster).check(issuer), await self.build(with_gate(cluster)).check(issuer)
        answer = await self.build(cluster).sign(issuer, self.request(user.namespace, key()))

        assert (verdict.ready, verdict.reason, gated.ready) == (False, "ErrInvalidKeyPair", True)
        assert "--feature-gates=MLDSA=true, or use a key of another kind." in verdict.message
        assert isinstance(answer, Pending)
        assert answer.message == verdict.message

    async def test_urls_go_into_the_certificate(self, parts: tuple[Cluster, User]) -> None:
        found = await self.signed(parts)

        text = pem.split_certificates(found.chain_pem, "")[0]
        assert b"http://crl.example.test" in text
        assert b"http://ocsp.example.test" in text

    async def test_a_leaf_does_not_outlive_its_ca(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        issuer = await self.with_pair(user, [root(timedelta(days=10))], AUTHORITY)

        found = await self.build(cluster).sign(issuer, self.request(user.namespace, key()))

        assert isinstance(found, Signed)
        assert leaf_of(found).not_after == parse_certificate(found.ca_pem).not_after
        assert [event.type for event in found.events] == ["Warning"]

    async def test_a_switch_lets_a_leaf_outlive_its_ca(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        issuer = await self.with_pair(user, [root(timedelta(days=10))], AUTHORITY)
        as_before = replace(cluster, settings=replace(cluster.settings, clip_to_ca=False))

        found = await self.build(as_before).sign(issuer, self.request(user.namespace, key()))

        assert isinstance(found, Signed)
        assert leaf_of(found).not_after - leaf_of(found).not_before == timedelta(days=90)
        assert found.events == ()

    async def test_the_key_that_signs_is_the_one_that_leaves_name(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        issuer = await self.prepare(user)
        found = await self.signed(parts)

        assert await self.build(cluster).signing_key(issuer) == leaf_of(found).authority_key_id != b""
        await self.with_pair(user, [root(timedelta(0))], AUTHORITY)
        assert await self.build(cluster).signing_key(issuer) == b""

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"tls.crt": b""}, "ErrGetKeyPair"),
            ({"tls.crt": b"x"}, "ErrGetKeyPair"),
            ({"tls.key": b"x"}, "ErrGetKeyPair"),
            ({"tls.crt": pem.write_certificates([root(is_ca=False)])}, "ErrInvalidKeyPair"),
            ({"tls.key": encode_private_key(key(number=3))}, "ErrInvalidKeyPair"),
            ({"tls.crt": pem.write_certificates([root(timedelta(seconds=0))])}, "ErrInvalidKeyPair"),
        ],
        ids=["no certificate", "torn certificate", "torn key", "no CA", "another key", "expired"],
    )
    async def test_pairs_that_cannot_sign(
        self, parts: tuple[Cluster, User], values: dict[str, bytes], reason: str
    ) -> None:
        cluster, user = parts
        good = {"tls.crt": pem.write_certificates([root()]), "tls.key": encode_private_key(AUTHORITY)}
        data = {name: value for name, value in (good | values).items() if value}
        issuer, issuers = await self.with_secret(user, data), self.build(cluster)

        verdict = await issuers.check(issuer)
        answer = await issuers.sign(issuer, self.request(user.namespace, key()))

        assert (verdict.ready, verdict.reason) == (False, reason)
        assert isinstance(answer, Pending)
        assert answer.event == "SecretInvalidData"
        assert "PRIVATE" not in verdict.message

    async def test_a_missing_secret(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        issuer, issuers = self.issuer(user), self.build(cluster)

        verdict = await issuers.check(issuer)
        answer = await issuers.sign(issuer, self.request(user.namespace, key()))

        assert (verdict.ready, verdict.reason, verdict.retry) == (False, "ErrGetKeyPair", False)
        assert isinstance(answer, Pending)
        assert answer.event == "SecretMissing"

    async def test_a_pair_is_read_once_a_version_and_told_once_a_change(self, parts: tuple[Cluster, User]) -> None:
        cluster, user = parts
        issuer, issuers = await self.prepare(user), self.build(cluster)
        async with background(cluster.caches.run()):
            await cluster.caches.synced()
            first = await issuers.check(issuer)
            second = await issuers.check(issuer)

            await self.with_pair(user, [root()], AUTHORITY)
            await _until_version_moves(cluster, user)
            third = await issuers.check(issuer)

        assert [event.reason for event in first.events] == ["KeyPairVerified"]
        assert second.events == ()
        assert [event.reason for event in third.events] == ["KeyPairVerified"]

    async def test_an_issuer_that_was_ready_is_not_told_again_after_a_restart(
        self, parts: tuple[Cluster, User]
    ) -> None:
        cluster, user = parts
        ready = Condition(type="Ready", status="True", reason="KeyPairVerified")
        issuer = replace(await self.prepare(user), status=cm.IssuerStatus(conditions=(ready,)))

        assert (await self.build(cluster).check(issuer)).events == ()

    async def test_a_pair_does_not_show_its_key(self, parts: tuple[Cluster, User]) -> None:
        _, user = parts
        await self.prepare(user)
        pair = read_pair(await user.client.get(SECRET, user.key("pair")))

        assert isinstance(pair, SigningPair)
        assert repr(pair) == "SigningPair('CN=root')"


async def _until_version_moves(cluster: Cluster, user: User) -> None:
    now = (await user.client.get(SECRET, user.key("pair"))).metadata.resource_version
    clock = SystemClock()
    while cluster.caches.secret_version(user.namespace, "pair") != now:
        await clock.wait(timedelta(milliseconds=5))
