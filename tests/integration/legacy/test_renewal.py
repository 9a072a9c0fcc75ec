"""The renewal of a legacy leaf at its second, on a clock that the test moves: acceptance check 11."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.legacy.rig import Rig, legacy_rig
from tests.integration.legacy.test_certificates import ISSUED, LEAF, chain_of, events_until, secret, with_ca

from certwright.clock import SystemClock

pytestmark = pytest.mark.needs("kubectl")

SECOND = timedelta(seconds=1)
RENEWED = [
    ("Normal", "RenewCert", "Renewing certificate..."),
    ("Normal", "CertRenewed", "Certificate renewed successfully"),
]


async def test_a_leaf_of_an_hour_is_renewed_fifty_nine_minutes_before_its_end(cluster: Cluster) -> None:
    # The API server stamps objects with the machine's time: the clock begins there.
    clock = MovableClock(SystemClock().now().replace(microsecond=0))
    async with legacy_rig(cluster, clock=clock) as rig:
        await with_ca(rig)
        await rig.ready("issuers", "ca", "KeyPairVerified")
        made = await rig.make("Certificate", "leaf", LEAF | {"duration": "1h", "renewBefore": "59m"})
        await rig.ready("certificates", "leaf", "CertIssued")
        uid = made["metadata"]["uid"]
        first = chain_of(await secret(rig, "leaf-tls"))[0]
        due = first.not_valid_after_utc - timedelta(minutes=59)

        await clock.run_for(due - SECOND - clock.now())
        await _nothing_is_under_way(rig)
        assert await rig.events(uid) == ISSUED
        assert chain_of(await secret(rig, "leaf-tls"))[0] == first
        await clock.run_for(SECOND)
        await rig.ready("certificates", "leaf", "CertRenewed")

        assert await events_until(rig, uid, lambda reasons: "CertRenewed" in reasons) == [*ISSUED, *RENEWED]
        second = chain_of(await secret(rig, "leaf-tls"))[0]
    assert second.serial_number != first.serial_number
    assert second.public_key() == first.public_key()
    assert "O=cert-manager" in second.subject.rfc4514_string()


async def _nothing_is_under_way(rig: Rig) -> None:
    """An issuer that is made now is ready: what came before it was worked on."""
    await rig.make("Issuer", "later", {"selfSigned": {}})
    await rig.ready("issuers", "later", "IsReady")
