"""The CA's memory: one SQLite table, in a file that outlives the process or in memory."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from certwright.acme.server.records import Record

R = TypeVar("R", bound=Record)

LAYOUT = 1
# Seconds for a process that is just ending to let go of the file.
LOCK_PATIENCE = 0.5
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  kind TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, lookup TEXT NOT NULL, expires REAL, body BLOB NOT NULL,
  UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS by_lookup ON records (kind, lookup, account);
CREATE INDEX IF NOT EXISTS by_account ON records (kind, account);
CREATE INDEX IF NOT EXISTS by_expiry ON records (expires) WHERE expires IS NOT NULL;
"""
_PUT = "INSERT OR REPLACE INTO records (rowid, kind, id, account, lookup, expires, body) VALUES (%s, ?, ?, ?, ?, ?, ?)"
# The number of a row stays when it is replaced, so that rows list in the order in which they were first made.
_KEEP_NUMBER = _PUT % "(SELECT rowid FROM records WHERE kind = ? AND id = ?)"


class StateUnusable(Exception):
    """The state file cannot be used; the message is a sentence with a next step."""


class Store:
    """Records by kind and id; a write is durable when the method returns (against the end of the process)."""

    def __init__(self, path: Path | None) -> None:
        self._where = str(path) if path else "memory"
        try:
            self._connection = _open(path)
        except (sqlite3.Error, OSError) as error:
            raise StateUnusable(
                f"The state file {path} cannot be used: {error}. End the other process that has it open, make its "
                "folder writable, or name another file."
            ) from error

    def put(self, *records: Record) -> None:
        """Insert or replace the records, all or none of them."""
        rows = [_row(record) for record in records]
        with self._connection:
            self._connection.executemany(_KEEP_NUMBER, rows)

    def get(self, kind: type[R], name: str) -> R | None:
        """The record of that id."""
        found = self._bodies("SELECT body FROM records WHERE kind = ? AND id = ?", kind, name)
        return found[0] if found else None

    def find(self, kind: type[R], lookup: str, account: str | None = None) -> list[R]:
        """The records of that lookup text, of one account where given, oldest first."""
        if account is None:
            return self._bodies("SELECT body FROM records WHERE kind = ? AND lookup = ? ORDER BY rowid", kind, lookup)
        query = "SELECT body FROM records WHERE kind = ? AND lookup = ? AND account = ? ORDER BY rowid"
        return self._bodies(query, kind, lookup, account)

    def of_account(self, kind: type[R], account: str) -> list[R]:
        """The records of an account, oldest first."""
        return self._bodies("SELECT body FROM records WHERE kind = ? AND account = ? ORDER BY rowid", kind, account)

    def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind, oldest first."""
        return self._bodies("SELECT body FROM records WHERE kind = ? ORDER BY rowid", kind)

    def forget(self, now: datetime) -> None:
        """Take out what has expired."""
        with self._connection:
            self._connection.execute("DELETE FROM records WHERE expires < ?", (now.timestamp(),))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _bodies(self, query: str, kind: type[R], *arguments: str) -> list[R]:
        rows = self._connection.execute(query, (kind.__name__, *arguments)).fetchall()
        try:
            return [msgspec.msgpack.decode(row[0], type=kind) for row in rows]
        except msgspec.MsgspecError as error:
            raise StateUnusable(f"The state in {self._where} cannot be read: {error}. Name another file.") from error


def _row(record: Record) -> tuple[str | float | bytes | None, ...]:
    kind = type(record).__name__
    expires = record.expires.timestamp() if record.expires else None
    body = msgspec.msgpack.encode(record)
    return kind, record.id, kind, record.id, record.account, record.lookup, expires, body


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    connection = sqlite3.connect(path or ":memory:", timeout=LOCK_PATIENCE)
    try:
        # One process at a time: two would hand out each other's accounts.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        layout: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise sqlite3.DatabaseError(f"it was written by a newer version (layout {layout})")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
