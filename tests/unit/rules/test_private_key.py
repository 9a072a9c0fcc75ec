"""Which key the next certificate has, and which requests of the past stay."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from tests.unit.rules.sample import certificate, key, request, secret, spec

from certwright.rules.private_key import KeyChoice, NewKey, NoKey, PresentKey, key_for_issuance, next_key_secret
from certwright.rules.revisions import superseded

NEVER = {"algorithm": "ECDSA", "rotationPolicy": "Never"}


def choice(private_key: dict[str, Any] | None, **changes: Any) -> KeyChoice:
    wanted = certificate(privateKey=private_key)
    return key_for_issuance(wanted.spec, secret(wanted, **changes))


def test_always_means_a_new_key() -> None:
    assert choice({"algorithm": "ECDSA"}) == NewKey()
    assert choice({"algorithm": "ECDSA", "rotationPolicy": "Always"}) == NewKey()
    assert choice(None) == NewKey()


def test_never_keeps_a_key_that_fits() -> None:
    assert choice(NEVER) == PresentKey("web")
    assert key_for_issuance(spec(privateKey=NEVER), None) == NewKey()
    assert choice(NEVER, data={"tls.key": None}) == NewKey()


def test_never_replaces_a_key_that_cannot_be_read() -> None:
    found = choice(NEVER, data={"tls.key": b"garbage"})

    assert isinstance(found, NewKey)
    assert "tls.key" in found.unreadable


def test_never_is_stuck_with_a_key_that_does_not_fit() -> None:
    found = choice(NEVER, signer=key("ECDSA", 384))

    assert isinstance(found, NoKey)
    assert "rotationPolicy" in found.message


def test_the_temporary_secret_that_counts() -> None:
    wanted = certificate()
    found = secret(wanted)
    a, b = (replace(found, metadata=replace(found.metadata, name=name)) for name in ("a", "b"))

    assert next_key_secret((b, a), None) == a
    assert next_key_secret((b, a), "b") == b
    assert next_key_secret((a,), "gone") is None
    assert next_key_secret((), None) is None


def test_requests_beyond_the_limit_go() -> None:
    wanted = certificate()
    found = tuple(request(wanted, revision=number) for number in (2, 10, 9, 1))

    assert [each.revision for each in superseded(found, 10, spec())] == [9, 2, 1]
    assert [each.revision for each in superseded(found, 10, spec(revisionHistoryLimit=3))] == [1]
    assert [each.revision for each in superseded(found, 9, spec())] == [2, 1]
    assert superseded(found, 10, spec(revisionHistoryLimit=9)) == ()
