from __future__ import annotations

from certwright.rest import SecretText


def test_only_reveal_shows_the_value() -> None:
    secret = SecretText("hunter2")

    assert secret.reveal() == "hunter2"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", repr([secret]), "%s" % secret):  # noqa: UP031
        assert "hunter2" not in shown


def test_secrets_compare_by_value() -> None:
    assert SecretText("a") == SecretText("a")
    assert SecretText("a") != SecretText("b")
    assert SecretText("a") != "a"
    assert len({SecretText("a"), SecretText("a"), SecretText("ä")}) == 2
    assert not SecretText("")
