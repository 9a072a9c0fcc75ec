"""When leaves follow their CA to a new key."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from hashlib import sha256

import pytest
from tests.unit.rules.sample import NOW

from certwright.api import certmanager_v1 as cm
from certwright.api.issuer_types import CAIssuer, SelfSignedIssuer
from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.rules.ca_change import (
    LONGEST,
    REISSUE_ON_CA_CHANGE,
    Authority,
    is_asked_for,
    reissue_time,
    window_for,
)
from certwright.rules.facts import Identity, LeafFacts
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey
from certwright.rules.reissue import former_authority

DAY = timedelta(days=1)
OLD, NEW = b"o" * 20, b"n" * 20
CA = cm.IssuerSpec(ca=CAIssuer(secret_name="pair"))


def leaf(number: int, authority: bytes = OLD, born: timedelta = -DAY) -> LeafFacts:
    digest = sha256(str(number).encode()).digest()
    return LeafFacts(Identity(b"", b"", b""), NOW + born, NOW + 90 * DAY, False, digest, authority)


def authority(certificates: int) -> Authority:
    return Authority(NEW, NOW, window_for(certificates))


@pytest.mark.parametrize(
    ("spec", "annotations", "asked"),
    [
        (CA, {REISSUE_ON_CA_CHANGE: "true"}, True),
        (CA, {REISSUE_ON_CA_CHANGE: "false"}, False),
        (CA, {REISSUE_ON_CA_CHANGE: ""}, False),
        (CA, {}, False),
        (cm.IssuerSpec(self_signed=SelfSignedIssuer()), {REISSUE_ON_CA_CHANGE: "true"}, False),
    ],
)
def test_only_ca_issuers_that_ask_for_it(spec: cm.IssuerSpec, annotations: dict[str, str], asked: bool) -> None:
    key = IssuerKey(Dialect.MODERN, "Issuer", "here", "ca")

    assert is_asked_for(HubIssuer(key=key, metadata=ObjectMeta(annotations=annotations), spec=spec)) is asked


@pytest.mark.parametrize(
    ("found", "follows"),
    [
        (leaf(1), True),
        (leaf(1, born=timedelta(0)), True),
        (leaf(1, NEW), False),
        (leaf(1, b""), False),
        (leaf(1, born=timedelta(seconds=1)), False),
    ],
    ids=["former key", "the second of the change", "present key", "not said", "younger than the change"],
)
def test_which_leaves_follow(found: LeafFacts, follows: bool) -> None:
    assert (reissue_time(found, authority(10)) is not None) is follows


@pytest.mark.parametrize(
    ("certificates", "window"), [(0, 0), (1, 1), (60, 60), (3600, 3600), (3601, 3600), (100_000, 3600)]
)
def test_the_window_grows_with_their_number_up_to_an_hour(certificates: int, window: int) -> None:
    assert window_for(certificates) == timedelta(seconds=window)


@pytest.mark.parametrize("certificates", [1, 10, 1000, 5000])
def test_they_come_one_by_one(certificates: int) -> None:
    times = [reissue_time(leaf(number), authority(certificates)) for number in range(certificates)]

    assert all(when is not None and NOW <= when < NOW + window_for(certificates) for when in times)
    assert max(Counter(times).values()) <= 10
    assert times == [reissue_time(leaf(number), authority(certificates)) for number in range(certificates)]
    assert window_for(certificates) <= LONGEST


def test_what_is_said_of_it() -> None:
    issuer = ObjectReference(name="ca")
    found = former_authority(NOW, NOW, issuer)

    assert found is not None
    assert (found.reason, found.message) == ("CAChanged", "Issuing certificate as the CA of Issuer ca has a new key")
    assert former_authority(NOW, NOW - timedelta(seconds=1), issuer) is None
    assert former_authority(None, NOW, issuer) is None
