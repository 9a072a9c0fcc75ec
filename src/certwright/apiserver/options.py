"""What a server is started with, and the one error of starting it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct


class StartError(Exception):
    """The server cannot start; the message is a sentence with a next step."""


class ApiServerOptions(Struct, frozen=True, kw_only=True):
    """Where the server keeps its data, where it listens, and how strict it is."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int | None = 0
    """0 takes a free port, None does not listen on TCP."""
    socket: Path | None = None
    """A Unix socket whose callers are `system:masters`."""
    authorization_mode: Literal["AlwaysAllow", "RBAC"] = "AlwaysAllow"
    durability: Literal["NORMAL", "FULL"] = "NORMAL"
    kubeconfig: Path | None = None
    """Where the kubeconfig is written; in the data folder where it is None."""
    token_file: Path | None = None
    """Static bearer tokens, a CSV line each: token,user,uid,"group1,group2"."""
    extra_names: tuple[str, ...] = ()
    """More names and addresses for the serving certificate."""
