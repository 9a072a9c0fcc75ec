"""A legacy leaf of an hour that is renewed after a minute, as acceptance check 11 of the legacy group has it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.integration.legacy.rig import Rig
from tests.integration.legacy.test_certificates import ISSUED, LEAF, chain_of, secret, with_ca
from tests.kubernetes.eventually import eventually

pytestmark = [pytest.mark.needs("kubectl"), pytest.mark.long]

RENEWED = [
    ("Normal", "RenewCert", "Renewing certificate..."),
    ("Normal", "CertRenewed", "Certificate renewed successfully"),
]


async def test_it_is_renewed_after_a_minute_with_the_same_key(rig: Rig) -> None:
    await with_ca(rig)
    made = await rig.make("Certificate", "leaf", LEAF | {"duration": "1h", "renewBefore": "59m"})
    await rig.ready("certificates", "leaf", "CertIssued")
    before = chain_of(await secret(rig, "leaf-tls"))[0]

    async def told() -> list[tuple[str, str, str]] | None:
        found = [event for event in await rig.events(made["metadata"]["uid"]) if event[0] == "Normal"]
        return found if found[-1][1] == "CertRenewed" else None

    events = await eventually(told, timedelta(seconds=90))
    after = chain_of(await secret(rig, "leaf-tls"))[0]

    assert events == [*ISSUED, *RENEWED]
    assert after.serial_number != before.serial_number
    assert timedelta(seconds=55) < after.not_valid_before_utc - before.not_valid_before_utc < timedelta(seconds=90)
    keys = [each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in (before, after)]
    assert keys[0] == keys[1]
    assert "O=cert-manager" in after.subject.rfc4514_string()
