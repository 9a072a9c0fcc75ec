from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certwright.acme.protocol.messages import Identifier
from certwright.acme.server.records import AccountRecord, AuthorizationRecord, KeyPairRecord, OrderRecord
from certwright.acme.server.store import StateUnusable, Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def account(name: str, lookup: str = "") -> AccountRecord:
    return AccountRecord(id=name, lookup=lookup, jwk={"kty": "EC"})


def order(name: str, account: str, expires: datetime | None = None) -> OrderRecord:
    return OrderRecord(
        id=name, account=account, lookup="l", expires=expires, identifiers=(), authorizations=(), until=NOW
    )


def test_what_was_put_is_there_after_the_file_is_opened_again(tmp_path: Path) -> None:
    first = Store(tmp_path / "ca" / "state.sqlite")
    first.put(account("a", "print"), order("o", "a"))
    first.close()

    second = Store(tmp_path / "ca" / "state.sqlite")
    found = (second.get(AccountRecord, "a"), second.find(AccountRecord, "print"), second.of_account(OrderRecord, "a"))
    second.close()

    assert found == (account("a", "print"), [account("a", "print")], [order("o", "a")])


def test_what_was_put_survives_a_process_that_never_closed(tmp_path: Path) -> None:
    dying = Store(tmp_path / "state.sqlite")
    dying.put(account("a"))
    for name in ("state.sqlite", "state.sqlite-wal"):
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())

    survivor = Store(tmp_path / "copy" / "state.sqlite")
    found = survivor.get(AccountRecord, "a")
    survivor.close()
    dying.close()

    assert found == account("a")


def test_the_order_of_first_writing_stays() -> None:
    store = Store(None)
    for name in ("o1", "o2", "o3"):
        store.put(order(name, "a"))

    store.put(order("o1", "a", NOW))

    assert [one.id for one in store.of_account(OrderRecord, "a")] == ["o1", "o2", "o3"]
    assert [one.id for one in store.all(OrderRecord)] == ["o1", "o2", "o3"]
    store.close()


def test_kinds_and_accounts_are_kept_apart() -> None:
    store = Store(None)
    store.put(order("x", "a"), order("y", "b"), account("x", "l"))

    assert [one.id for one in store.find(OrderRecord, "l")] == ["x", "y"]
    assert [one.id for one in store.find(OrderRecord, "l", "b")] == ["y"]
    assert store.get(OrderRecord, "nothing") is None
    store.close()


def test_what_has_expired_is_forgotten() -> None:
    store = Store(None)
    store.put(order("old", "a", NOW - timedelta(seconds=1)), order("new", "a", NOW), order("kept", "a"))

    store.forget(NOW)

    assert [one.id for one in store.all(OrderRecord)] == ["new", "kept"]
    store.close()


def test_one_process_at_a_time_uses_a_file(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.sqlite")

    with pytest.raises(StateUnusable, match="End the other process"):
        Store(tmp_path / "state.sqlite")

    first.close()
    Store(tmp_path / "state.sqlite").close()


def test_a_file_that_is_no_state_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"this is a text and no database at all" * 100)

    with pytest.raises(StateUnusable, match=r"state\.sqlite cannot be used"):
        Store(tmp_path / "state.sqlite")


def test_the_file_holds_keys_and_is_its_owners(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    store.put(KeyPairRecord(id="root", cert_pem=b"c", key_pem=b"secret"))
    mode = (tmp_path / "state.sqlite").stat().st_mode
    store.close()

    assert mode & 0o077 == 0
    assert "secret" not in repr(KeyPairRecord(id="root", cert_pem=b"c", key_pem=b"secret"))


def test_records_with_everything_in_them_come_back(tmp_path: Path) -> None:
    full = AuthorizationRecord(
        id="z", identifier=Identifier("dns", "a.test"), until=NOW, challenges=(), wildcard=True, deactivated=True
    )
    store = Store(None)
    store.put(full)

    assert store.get(AuthorizationRecord, "z") == full
    store.close()
