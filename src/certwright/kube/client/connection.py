"""How the API server is reached: from a kubeconfig, from inside a Pod, or over a Unix socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Connection(Struct, frozen=True, kw_only=True):
    """Where the API server is, how it is trusted, and as whom we come."""

    server: str
    socket: Path | None = None
    namespace: str = ""


def over_socket(socket: Path) -> Connection:
    """The embedded API server's own socket, whose callers are administrators."""
    return Connection(server="http://localhost", socket=socket)


def find_connection(
    environ: Mapping[str, str], kubeconfig: str = "", context: str = "", server: str = ""
) -> Connection:
    """What client-go finds: the kubeconfig named, else `KUBECONFIG`, else the Pod's service account, else
    `~/.kube/config`. `server` overrides the address; `unix:/path` is a socket. BadConnection says what is wrong."""
    raise NotImplementedError
