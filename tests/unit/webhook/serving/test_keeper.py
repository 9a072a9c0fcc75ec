"""The serving certificate from files: loaded, reloaded, missed, ended; and what health says of it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import MovableClock, settle
from tests.integration.wiring import background
from tests.unit.webhook import tls
from tests.unit.webhook.questions import admission

from certwright.clock import SystemClock
from certwright.webhook.server import AdmissionServer
from certwright.webhook.serving.callers import Callers
from certwright.webhook.serving.keeper import LOOK_AGAIN, ServingCertificate
from certwright.webhook.serving.source import CertificateFiles
from certwright.webhook.serving.tls import server_context

CA = tls.new_ca()


class Rig:
    """A server whose certificate comes from two files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = MovableClock(SystemClock().now())
        context, callers = server_context(), Callers()
        source = CertificateFiles(folder / "tls.crt", folder / "tls.key")
        self.certificate = ServingCertificate(context, source, callers, self.clock)
        self.server = AdmissionServer(admission(), context, callers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        await self.server.start("127.0.0.1", 0)
        async with background(self.certificate.run()):
            await settle()
            yield self.server.port
        await self.server.stop()

    async def later(self) -> None:
        await self.clock.run_for(LOOK_AGAIN)

    async def serial(self) -> str:
        return await tls.served_serial(self.server.port, tls.trusting(CA))


async def test_no_certificate_no_health_no_connection(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig.running():
        assert "tls.crt cannot be read: No such file or directory" in rig.certificate.health()
        with pytest.raises((OSError, ssl.SSLError)):
            await rig.serial()

        tls.write(tmp_path, tls.server_pair(CA))
        await rig.later()

        assert rig.certificate.health() == ""
        assert await rig.serial()


async def test_a_renewed_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    tls.write(tmp_path, tls.server_pair(CA))
    async with rig.running():
        before = await rig.serial()

        await rig.later()
        assert await rig.serial() == before
        tls.write(tmp_path, tls.server_pair(CA))
        await rig.later()

        assert await rig.serial() != before


async def test_a_half_written_pair_does_not_take_the_old_one_away(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    tls.write(tmp_path, tls.server_pair(CA))
    async with rig.running():
        before = await rig.serial()

        (tmp_path / "tls.key").write_bytes(tls.server_pair(CA).key_pem)
        await rig.later()
        assert (await rig.serial(), rig.certificate.health()) == (before, "")
        (tmp_path / "tls.crt").unlink()
        await rig.later()
        assert (await rig.serial(), rig.certificate.health()) == (before, "")


async def test_a_certificate_that_ended_is_unhealthy(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    tls.write(tmp_path, tls.server_pair(CA))
    async with rig.running():
        rig.clock.advance(timedelta(days=366))

        assert "ended at" in rig.certificate.health()
