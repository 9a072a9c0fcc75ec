"""The SelfSigned issuer keeps what every issuer promises, and words of its own."""

from __future__ import annotations

import base64
from typing import Any

from msgspec.structs import replace
from tests.conformance.issuer.suite import IssuerSuite, leaf_of
from tests.integration.certificate.rig import User
from tests.unit.rules.sample import key

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.issuer_types import SelfSignedIssuer
from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import Annotation
from certwright.cluster.cluster import Cluster
from certwright.issuers.base import IssuerType, Outcome, Pending, Refused, RequestToSign
from certwright.issuers.selfsigned import SelfSigned
from certwright.kube.wire.keys import ObjectKey
from certwright.pki.keys import PrivateKey, encode_private_key
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey

POINT = "http://crl.example.test/a.crl"


class TestSelfSigned(IssuerSuite):
    async def prepare(self, user: User) -> HubIssuer:
        key = IssuerKey(Dialect.MODERN, "Issuer", user.namespace, "selfsigned")
        spec = cm.IssuerSpec(self_signed=SelfSignedIssuer(crl_distribution_points=(POINT,)))
        return HubIssuer(key=key, metadata=ObjectMeta(name="selfsigned", namespace=user.namespace), spec=spec)

    def build(self, cluster: Cluster) -> IssuerType:
        return SelfSigned(cluster)

    async def offer_key(self, cluster: Cluster, request: RequestToSign, private_key: PrivateKey) -> None:
        cluster.pending.put(ObjectKey(request.namespace, request.metadata.name), private_key)

    async def by_secret(self, parts: tuple[Cluster, User], secret: str, **data: bytes) -> Outcome:
        """The answer to a request that names its private key."""
        cluster, user = parts
        if data:
            body: Any = {"metadata": {"name": "mine"}, "data": {"tls.key": base64.b64encode(data["key"]).decode()}}
            await user.client.create(SECRET, {"apiVersion": "v1", "kind": "Secret", **body}, user.namespace)
        request = self.request(user.namespace, key())
        annotations = {Annotation.PRIVATE_KEY_SECRET_NAME: secret} if secret else {}
        request = replace(request, metadata=replace(request.metadata, annotations=annotations))
        return await self.build(cluster).sign(await self.prepare(user), request)

    async def test_it_is_its_own_ca(self, parts: tuple[Cluster, User]) -> None:
        found = await self.signed(parts, commonName="web")

        assert found.ca_pem == found.chain_pem
        assert leaf_of(found).issuer == leaf_of(found).subject
        assert leaf_of(found).authority_key_id == b""
        assert POINT.encode() in base64.b64decode(b"".join(found.chain_pem.splitlines()[1:-1]))
        assert found.events == ()

    async def test_a_certificate_without_an_issuer_name_is_warned_of(self, parts: tuple[Cluster, User]) -> None:
        found = await self.signed(parts)

        assert [(event.type, event.reason) for event in found.events] == [("Warning", "BadConfig")]

    async def test_the_key_that_the_request_names(self, parts: tuple[Cluster, User]) -> None:
        found = await self.by_secret(parts, "mine", key=encode_private_key(key()))

        assert not isinstance(found, Pending | Refused)

    async def test_no_name(self, parts: tuple[Cluster, User]) -> None:
        found = await self.by_secret(parts, "")

        assert isinstance(found, Refused)
        assert found.event == "MissingAnnotation"

    async def test_no_secret_yet(self, parts: tuple[Cluster, User]) -> None:
        found = await self.by_secret(parts, "mine")

        assert isinstance(found, Pending)
        assert found.event == "MissingSecret"

    async def test_a_key_beyond_reading(self, parts: tuple[Cluster, User]) -> None:
        found = await self.by_secret(parts, "mine", key=b"garbage")

        assert isinstance(found, Pending)
        assert found.event == "ErrorParsingKey"
        assert "garbage" not in found.message

    async def test_another_key(self, parts: tuple[Cluster, User]) -> None:
        found = await self.by_secret(parts, "mine", key=encode_private_key(key(number=1)))

        assert isinstance(found, Refused)
        assert found.event == "ErrorKeyMatch"
