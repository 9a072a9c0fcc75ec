"""The SQLite file: one writer, objects by resource and key, and the revision of the last removal of each resource."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from certwright.apiserver.options import StartError

LAYOUT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, body BLOB NOT NULL,
  UNIQUE (resource, namespace, name)
);
CREATE TABLE IF NOT EXISTS removals (resource TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
"""
_PUT = (
    "INSERT INTO objects (resource, namespace, name, revision, body) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (resource, namespace, name) DO UPDATE SET revision = excluded.revision, body = excluded.body"
)
_REMOVE = "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?"
_REMOVED = (
    "INSERT INTO removals (resource, revision) VALUES (?, ?) "
    "ON CONFLICT (resource) DO UPDATE SET revision = excluded.revision"
)

Durability = Literal["NORMAL", "FULL"]


class Row(Struct, frozen=True):
    """One stored object."""

    resource: str
    namespace: str
    name: str
    revision: int
    body: bytes


class WriteFailed(Exception):
    """The disk refused a write; nothing was changed. The message is a sentence."""


class Database:
    """An open data folder; what is written survives the end of the process (NORMAL) or of the machine (FULL)."""

    def __init__(self, folder: Path, durability: Durability = "NORMAL") -> None:
        self._path = folder / "objects.sqlite"
        self._lock = _lock(folder)
        try:
            self._connection = self._open(durability)
        except sqlite3.Error as error:
            os.close(self._lock)
            raise StartError(_sentence(self._path, error)) from error
        except StartError:
            os.close(self._lock)
            raise

    def _open(self, durability: Durability) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=2, cached_statements=32)
        layout: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            connection.close()
            raise StartError(
                f"{self._path} was written by a newer version (layout {layout}, this one knows {LAYOUT}). "
                "Start that version, or name another data folder."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'FULL' else 'NORMAL'}")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        self._path.chmod(0o600)
        return connection

    def rows(self) -> Iterator[Row]:
        """All objects, in no particular order."""
        try:
            for row in self._connection.execute("SELECT resource, namespace, name, revision, body FROM objects"):
                yield Row(*row)
        except sqlite3.Error as error:
            raise StartError(_sentence(self._path, error)) from error

    def removals(self) -> dict[str, int]:
        """The revision of the last removal by resource."""
        return dict(self._connection.execute("SELECT resource, revision FROM removals"))

    def put(self, row: Row) -> None:
        """Insert or replace one object."""
        try:
            self._connection.execute(_PUT, (row.resource, row.namespace, row.name, row.revision, row.body))
        except sqlite3.Error as error:
            raise WriteFailed(_sentence(self._path, error)) from error

    def remove(self, row: Row) -> None:
        """Take one object away and note the revision at which it went."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(_REMOVE, (row.resource, row.namespace, row.name))
            self._connection.execute(_REMOVED, (row.resource, row.revision))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise WriteFailed(_sentence(self._path, error)) from error

    def close(self) -> None:
        """Fold the log into the file and let go of the folder."""
        self._connection.close()
        os.close(self._lock)


def _lock(folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be used: {error.strerror}. Make it writable, or name another."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if error.errno not in {errno.EAGAIN, errno.EACCES}:
            raise StartError(
                f"The data folder {folder} cannot be locked: {error.strerror}. Name one on a local disk."
            ) from error
        raise StartError(
            f"The data folder {folder} is in use by another server. Stop that one, or name another folder."
        ) from error
    return lock


def _sentence(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", "")
    match code:
        case "SQLITE_FULL":
            return f"The disk that holds {path} is full. Free some space; nothing was changed."
        case _ if code.startswith("SQLITE_IOERR"):
            return (
                f"{path} cannot be written: {error}; nothing was changed. Check the disk, and what space it has left."
            )
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            return (
                f"{path} is not a readable database ({error}). Restore it from a backup, or name another data folder."
            )
        case "SQLITE_BUSY" | "SQLITE_LOCKED":
            return f"{path} is locked by another program. Close that program and try again."
        case _:
            return f"{path} cannot be used: {error}. Check the disk and the permissions of the folder."
