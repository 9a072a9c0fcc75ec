"""Objects that the tests write, and how they wait for what becomes of them."""

from __future__ import annotations

import base64
from typing import Any

from tests.cluster import Cluster
from tests.integration.acme.world import TOKEN, World
from tests.kubernetes.eventually import eventually

from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate
from certwright.pki.names import Subject, encode_subject

Json = dict[str, Any]
CLOUDFLARE: Json = {"dns01": {"cloudflare": {"apiTokenSecretRef": {"name": "cloudflare", "key": "token"}}}}
HTTP: Json = {"http01": {"ingress": {"ingressClassName": "nginx"}}}
_GROUPS = {
    "certificates": "cert-manager.io/v1",
    "certificaterequests": "cert-manager.io/v1",
    "issuers": "cert-manager.io/v1",
    "orders": "acme.cert-manager.io/v1",
    "challenges": "acme.cert-manager.io/v1",
}


class Objects:
    """Writes to, and reads from, the namespace of a test."""

    def __init__(self, cluster: Cluster, namespace: str = "") -> None:
        self.namespace = namespace or cluster.namespace
        self._http = cluster.http

    def path(self, plural: str, name: str = "") -> str:
        """Where such objects are."""
        root = f"/apis/{_GROUPS[plural]}" if plural in _GROUPS else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    async def make_namespace(self) -> None:
        """The namespace itself."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        (await self._http.post("/api/v1/namespaces", body)).ok  # noqa: B018 asserts success

    async def secret(self, name: str, **values: str) -> None:
        """A Secret."""
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        (await self._http.post(self.path("secrets"), body)).ok  # noqa: B018 asserts success

    async def cloudflare_token(self) -> None:
        """The credentials that `CLOUDFLARE` names."""
        await self.secret("cloudflare", token=TOKEN)

    async def issuer(self, world: World, *solvers: Json, name: str = "acme", kind: str = "Issuer", **more: Any) -> None:
        """An ACME issuer of the world's CA."""
        acme = {
            "email": "Ops@Example.test",
            "server": world.directory,
            "privateKeySecretRef": {"name": f"{name}-account"},
            "solvers": list(solvers),
            **more,
        }
        body = {
            "apiVersion": "cert-manager.io/v1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"acme": acme},
        }
        path = self.path("issuers") if kind == "Issuer" else "/apis/cert-manager.io/v1/clusterissuers"
        (await self._http.post(path, body)).ok  # noqa: B018 asserts success

    async def request(
        self,
        name: str,
        *names: str,
        common_name: str = "",
        addresses: tuple[str, ...] = (),
        issuer: str = "acme",
        issuer_kind: str = "Issuer",
    ) -> PrivateKey:
        """A CertificateRequest for these names; its key."""
        key = generate(KeySpec(KeyAlgorithm.ECDSA, 256))
        subject = encode_subject(Subject(common_name=common_name))
        csr = build_request(
            RequestContent(subject=subject, names=AlternativeNames(dns_names=names, ip_addresses=addresses)), key
        )
        await self.ask(name, csr, issuer=issuer, issuer_kind=issuer_kind)
        return key

    async def certificate(self, name: str, *names: str, **spec: Any) -> None:
        """A Certificate of the issuer `acme` for these names, in a Secret of its own name."""
        wanted = {
            "secretName": name,
            "dnsNames": list(names),
            "privateKey": {"algorithm": "ECDSA"},
            "issuerRef": {"name": "acme"},
            **spec,
        }
        body = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name}, "spec": wanted}
        await self.create("certificates", body)

    async def ask(self, name: str, csr: bytes, issuer: str = "acme", issuer_kind: str = "Issuer") -> None:
        """A CertificateRequest."""
        body = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "CertificateRequest",
            "metadata": {"name": name},
            "spec": {
                "request": base64.b64encode(csr).decode(),
                "issuerRef": {"name": issuer, "kind": issuer_kind},
            },
        }
        await self.create("certificaterequests", body)

    async def create(self, plural: str, body: Json) -> None:
        """Any object."""
        (await self._http.post(self.path(plural), body)).ok  # noqa: B018 asserts success

    async def get(self, plural: str, name: str) -> Json:
        """The object as it is now."""
        found: Json = (await self._http.get(self.path(plural, name))).ok
        return found

    async def all(self, plural: str) -> list[Json]:
        """All of that kind in the namespace."""
        found: list[Json] = (await self._http.get(self.path(plural))).ok["items"]
        return found

    async def patch(self, plural: str, name: str, body: Json) -> None:
        """A merge patch."""
        (await self._http.patch(self.path(plural, name), body)).ok  # noqa: B018 asserts success

    async def delete(self, plural: str, name: str) -> None:
        """Deletes it."""
        (await self._http.delete(self.path(plural, name))).ok  # noqa: B018 asserts success

    async def ready(self, plural: str, name: str, reason: str = "") -> Json:
        """The Ready condition, once it is there (with that reason)."""

        async def look() -> Json | None:
            status = (await self.get(plural, name)).get("status", {})
            found = [each for each in status.get("conditions", []) if each["type"] == "Ready"]
            return found[0] if found and reason in {"", found[0]["reason"]} else None

        try:
            return await eventually(look)
        except AssertionError as error:
            raise AssertionError(f"{plural}/{name} is not {reason or 'judged'}:\n{await self.story()}") from error

    async def issued(self, name: str) -> bytes:
        """The chain of a CertificateRequest, once it is issued."""
        await self.ready("certificaterequests", name, "Issued")
        return base64.b64decode((await self.get("certificaterequests", name))["status"]["certificate"])

    async def none_left(self, plural: str) -> None:
        """Returns once there is none of that kind."""

        async def gone() -> bool:
            return not await self.all(plural)

        await eventually(gone)

    async def events(self, kind: str) -> list[tuple[str, str]]:
        """Reason and message of the events about objects of a kind, in order."""
        found = [each for each in await self.all("events") if each["involvedObject"]["kind"] == kind]
        return [(each["reason"], each["message"]) for each in sorted(found, key=_when)]

    async def story(self) -> str:
        """What stands in the namespace, for failures."""
        lines: list[str] = []
        for plural in ("certificates", "issuers", "certificaterequests", "orders", "challenges"):
            found = await self.all(plural)
            lines += [f"{plural}/{each['metadata']['name']}: {each.get('status')}" for each in found]
        lines += [
            f"{each['involvedObject']['name']} {each['reason']}: {each['message']}" for each in await self.all("events")
        ]
        return "\n".join(lines)


def _when(event: Json) -> tuple[str, int]:
    return event.get("firstTimestamp") or "", int(event["metadata"]["resourceVersion"])
