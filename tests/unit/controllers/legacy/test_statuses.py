"""What is written of a legacy status: the difference alone, bound to the version that was seen."""

from __future__ import annotations

import msgspec

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.kinds import Unreadable
from certwright.api.meta import Condition, ObjectMeta
from certwright.controllers.legacy.statuses import status_patch

METADATA = ObjectMeta(name="c", namespace="ns", resource_version="7")
READY = Condition(type="Ready", status="True", reason="CertIssued")


def test_nothing_is_written_where_nothing_changed() -> None:
    status = legacy.CertificateStatus(conditions=(READY,), revision=1)

    assert status_patch(METADATA, status, status) is None


def test_what_changed_is_written_and_what_went_is_taken_away() -> None:
    old = legacy.CertificateStatus(next_private_key_secret_name="k", failed_issuance_attempts=2)
    new = legacy.CertificateStatus(conditions=(READY,), failed_issuance_attempts=2)

    assert status_patch(METADATA, old, new) == {
        "metadata": {"resourceVersion": "7"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True", "reason": "CertIssued"}],
            "nextPrivateKeySecretName": None,
        },
    }


def test_old_challenges_go_with_their_order() -> None:
    challenges = (legacy.OrderChallenge(url="c"),)
    old = legacy.CertificateStatus(
        acme=legacy.CertificateAcmeStatus(order=legacy.OrderStatus(url="1", challenges=challenges))
    )
    new = legacy.CertificateStatus(acme=legacy.CertificateAcmeStatus(order=legacy.OrderStatus(url="2")))

    patch = status_patch(METADATA, old, new)

    assert patch is not None
    assert patch["status"] == {"acme": {"order": {"url": "2", "challenges": None}}}


def test_of_an_object_that_cannot_be_read_only_the_conditions_are_written() -> None:
    old = Unreadable(metadata=METADATA, problem="spec.keySize: Invalid value")

    patch = status_patch(METADATA, old, msgspec.structs.replace(old, conditions=(READY,)))

    assert patch is not None
    assert list(patch["status"]) == ["conditions"]  # type: ignore[arg-type] # it is an object
    assert status_patch(METADATA, old, old) is None
