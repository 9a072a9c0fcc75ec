"""The two exceptions that steer a loop carry what the loop and the user need."""

from __future__ import annotations

from datetime import timedelta

from certwright.errors import Blocked, Retry


def test_retry_says_when() -> None:
    error = Retry("The CA limits how often we may ask.", after=timedelta(minutes=5))

    assert (str(error), error.message, error.after) == (
        "The CA limits how often we may ask.",
        "The CA limits how often we may ask.",
        timedelta(minutes=5),
    )


def test_retry_without_a_time_leaves_it_to_the_back_off() -> None:
    assert Retry("Nobody answered.").after is None


def test_blocked_has_a_reason_and_a_sentence() -> None:
    error = Blocked("SecretMissing", "Secret shop/ca is not there; create it.")

    assert (error.reason, error.message, str(error)) == (
        "SecretMissing",
        "Secret shop/ca is not there; create it.",
        "Secret shop/ca is not there; create it.",
    )


def test_neither_is_the_other() -> None:
    """A loop tells them apart by their type, so catching one must not catch the other."""
    assert not issubclass(Blocked, Retry)
    assert not issubclass(Retry, Blocked)
