"""Certificates of a CA that says when to renew them: how tests make them, read them and wait for them."""

from __future__ import annotations

import base64
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from tests.cluster import Cluster
from tests.integration.acme.clock import LeapingClock
from tests.integration.acme.machinery import Machinery, machinery
from tests.integration.acme.objects import Json, Objects
from tests.integration.acme.world import World
from tests.kubernetes.eventually import eventually

from certwright.acme.protocol.renewal_info import certificate_id
from certwright.rules.gates import read_gates

NAME = "www.bench.test"
ON = read_gates(["ACMEUseARI=true"])
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
A_CHECK = timedelta(hours=6.7)
"""Longer than any wait until the CA is asked again that follows a Retry-After of six hours."""


def asking(cluster: Cluster, world: World, clock: LeapingClock) -> AbstractAsyncContextManager[Machinery]:
    """The controllers, with the gate on."""
    return machinery(cluster, world, clock, gates=ON)


def moment(text: str) -> datetime:
    """A time of the API."""
    return datetime.fromisoformat(text)


def text_of(when: datetime) -> str:
    """As RFC 3339 has it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Advised:
    """The Certificate `web`."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def status(self) -> Json:
        """Its status as it is now."""
        found: Json = (await self._objects.get("certificates", "web")).get("status", {})
        return found

    async def ari(self) -> Json:
        """What it says that the CA says; empty where it says nothing."""
        found: Json = (await self.status()).get("acme", {}).get("ari", {})
        return found

    async def chain(self) -> bytes:
        """The chain in its Secret."""
        return base64.b64decode((await self._objects.get("secrets", "web"))["data"]["tls.crt"])

    async def leaf(self) -> x509.Certificate:
        """The certificate in its Secret."""
        return x509.load_pem_x509_certificate(await self.chain())

    async def name(self) -> str:
        """What the CA calls that."""
        return certificate_id(await self.leaf()) or ""

    async def issued(self, revision: int = 1) -> Json:
        """Its status, once it was issued so many times and that is over."""

        async def look() -> Json | None:
            found = await self.status()
            ready = {each["type"]: each["status"] for each in found.get("conditions", [])}
            return found if found.get("revision") == revision and ready == {"Ready": "True"} else None

        return await self._until(look)

    async def advised(self, since: datetime | None = None) -> Json:
        """What the CA says, once it was asked (since then)."""

        async def look() -> Json | None:
            found = await self.ari()
            return found if found and (since is None or moment(found["lastChecked"]) >= since) else None

        return await self._until(look)

    async def unadvised(self) -> Json:
        """Its status, once it no longer says what a CA says."""

        async def look() -> Json | None:
            found = await self.status()
            return None if "acme" in found else found

        return await self._until(look)

    async def order(self, revision: int) -> Json:
        """The Order of a revision."""

        async def look() -> Json | None:
            found = await self._objects.all("orders")
            return next((each for each in found if each["metadata"]["name"].startswith(f"web-{revision}-")), None)

        return await self._until(look)

    async def _until(self, look: Any) -> Json:
        try:
            found: Json = await eventually(look)
            return found
        except AssertionError as error:
            raise AssertionError(await self._objects.story()) from error
