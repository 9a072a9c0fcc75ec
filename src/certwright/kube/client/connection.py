"""How the API server is reached: from a kubeconfig, from inside a Pod, or over a Unix socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from certwright.kube.client.credentials import Anonymous, Identification, KeyPair, TokenFile
from certwright.kube.client.errors import BadConnection

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Trust(Struct, frozen=True, kw_only=True):
    """How the API server proves itself: `ca` is PEM (empty: the system's roots), `name` what its certificate says."""

    ca: bytes = b""
    name: str = ""
    skip_verify: bool = False


class Impersonation(Struct, frozen=True, kw_only=True):
    """As whom we act, where that is somebody else."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = {}


class Connection(Struct, frozen=True, kw_only=True):
    """Where the API server is, how it is trusted, and as whom we come; `namespace` is the context's."""

    server: str
    socket: Path | None = None
    namespace: str = ""
    trust: Trust = Trust()
    certificate: KeyPair | None = None
    identification: Identification = Anonymous()
    impersonation: Impersonation = Impersonation()
    proxy: str = ""

    def __repr__(self) -> str:
        return f"Connection({self.socket or self.server})"


def over_socket(socket: Path) -> Connection:
    """The embedded API server's own socket, whose callers are administrators."""
    return Connection(server="http://localhost", socket=socket)


def in_cluster(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Connection | None:
    """The way out of a Pod, with its service account; None outside of a Pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    token = folder / "token"
    if not host or not port or not token.is_file():
        return None
    return Connection(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=_read_if_there(folder / "namespace").decode().strip(),
        trust=Trust(ca=_read_if_there(folder / "ca.crt")),
        identification=TokenFile(token),
    )


def _read_if_there(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise BadConnection(f"{path} cannot be read: {error.strerror}. Check the Pod's service account.") from error
