"""The chain in the Secret of a legacy Certificate."""

from __future__ import annotations

from certwright.pki import pem
from certwright.rules.legacy_secret import legacy_chain

LEAF, MIDDLE, ROOT = (pem.write_certificates([bytes([0x30, 1, n])]) for n in range(3))


def test_a_ca_issuers_chain_ends_with_the_ca_and_others_stay_as_they_are() -> None:
    assert legacy_chain(LEAF, ROOT, from_ca_issuer=True) == LEAF + ROOT
    assert legacy_chain(LEAF + MIDDLE, ROOT, from_ca_issuer=True) == LEAF + MIDDLE
    assert legacy_chain(LEAF, b"", from_ca_issuer=True) == LEAF
    assert legacy_chain(LEAF, LEAF, from_ca_issuer=True) == LEAF
    assert legacy_chain(LEAF, ROOT, from_ca_issuer=False) == LEAF
