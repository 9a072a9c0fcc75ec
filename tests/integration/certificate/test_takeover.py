"""What cert-manager 1.21.1 left behind on a real cluster is taken over without a write, and then renewed in time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, controllers
from tests.integration.certificate.test_issuance import BUDGET
from tests.kubernetes.eventually import eventually

from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST, ISSUER
from certwright.api.resource import Kind
from certwright.pki.certificate import parse_certificate
from certwright.rules.facts import TARGET_MANAGER

SETTLED = Path(__file__).parents[4] / "shared" / "golden" / "settled.json"
pytestmark = pytest.mark.skipif(not SETTLED.exists(), reason="the golden objects are not beside this checkout")

THEN = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
NAMES = (
    "root",
    "rsa-default",
    "ecdsa-p384-pkcs8",
    "ed25519",
    "every-san",
    "literal-subject",
    "intermediate",
    "chained-leaf",
    "keystores",
    "keystores-legacy",
    "formats-template",
    "percent",
    "renew-before",
    "renewal-windows",
    "renewal-disabled",
    "never-rotate",
    "always-rotate",
    "this-is-a-very-long-certificate-name-that-goes-past-fifty-two-characters",
)


class Past:
    """The golden objects, made anew in the test's namespace."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._items: list[Any] = json.loads(SETTLED.read_text())["items"]
        self._uids: dict[str, str] = {}

    async def restore(self) -> None:
        """Issuers, Certificates, their requests and their Secrets, status and managed fields included."""
        for name in ("ca", "intermediate"):
            await self._make(ISSUER, self._found("Issuer", name))
        for name in NAMES:
            await self._make(CERTIFICATE, self._found("Certificate", name))
        for each in self._all("CertificateRequest"):
            owners = each["metadata"].get("ownerReferences", [])
            if any(owner["name"] in NAMES for owner in owners):
                await self._make(CERTIFICATE_REQUEST, each)
        for each in self._all("Secret"):
            await self._secret(each)

    def _all(self, kind: str) -> list[Any]:
        return [each for each in self._items if each["kind"] == kind and each["metadata"].get("namespace") == "golden"]

    def _found(self, kind: str, name: str) -> Any:
        return next(each for each in self._all(kind) if each["metadata"]["name"] == name)

    async def _make(self, kind: Kind[Any], each: Any) -> None:
        made = await self._user.client.create(kind, self._body(each), self._user.namespace)
        self._uids[each["metadata"]["uid"]] = made.metadata.uid
        patch = {"status": each["status"]}
        await self._user.client.merge_patch(
            kind, self._user.key(made.metadata.name), patch, subresource="status", manager="cert-manager-past"
        )

    async def _secret(self, each: Any) -> None:
        name = each["metadata"]["name"]
        if name not in {*NAMES, "long-name", "pw"}:
            return
        await self._user.client.apply(SECRET, self._user.key(name), self._body(each), manager=TARGET_MANAGER)

    def _body(self, each: Any) -> Any:
        old = each["metadata"]
        metadata = {name: old[name] for name in ("name", "labels", "annotations") if name in old}
        metadata["namespace"] = self._user.namespace
        owners = [{**owner, "uid": self._uids[owner["uid"]]} for owner in old.get("ownerReferences", [])]
        if owners:
            metadata["ownerReferences"] = owners
        kept = {name: each[name] for name in ("apiVersion", "kind", "spec", "type", "data") if name in each}
        return {**kept, "metadata": metadata}


async def test_nothing_is_written_and_the_first_renewal_comes_in_time(cluster: Cluster, user: User) -> None:
    await Past(user).restore()
    clock = MovableClock(THEN)

    async with controllers(cluster, clock) as running:
        await clock.run_for(timedelta(minutes=5))
        # Passes are made in the order of arrival: once this one is through, all the others were.
        await user.certificate("new", {"issuerRef": {"name": "ca"}})
        await user.until("new")
        await user.calm(running)
        written = cluster.writes(agent(cluster))
        before = parse_certificate((await user.secret("percent")).data["tls.crt"])

        await clock.run_for(timedelta(hours=36))
        await eventually(lambda: _is_renewed(user, "percent"))

    assert written == BUDGET
    after = parse_certificate((await user.secret("percent")).data["tls.crt"])
    assert after.fingerprint != before.fingerprint
    assert after.issuer_text == "CN=golden root"


async def _is_renewed(user: User, name: str) -> bool:
    return (await user.get(name)).status.revision == 2
