"""Reads kubeconfig files, merges them as kubectl does, and finds the connection that a context means."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, field

from certwright.kube.client.connection import Connection, Impersonation, Trust, in_cluster, over_socket
from certwright.kube.client.credentials import (
    Anonymous,
    BearerToken,
    ExecCommand,
    Identification,
    KeyPair,
    Password,
    TokenFile,
)
from certwright.kube.client.errors import BadConnection
from certwright.kube.client.exec_plugin import VERSIONS
from certwright.rest import SecretText

MOST_BYTES = 16 * 1024 * 1024


class _Cluster(Struct, frozen=True, rename="kebab"):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: bytes = b""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    extensions: tuple[Mapping[str, object], ...] = ()


class _Variable(Struct, frozen=True):
    name: str
    value: str = ""


class _Exec(Struct, frozen=True, rename="camel"):
    command: str
    api_version: str = ""
    args: tuple[str, ...] = ()
    env: tuple[_Variable, ...] = ()
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"


class _User(Struct, frozen=True, rename="kebab"):
    client_certificate: str = ""
    client_certificate_data: bytes = b""
    client_key: str = ""
    client_key_data: bytes = b""
    token: str = ""
    token_file: str = field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    as_: str = field(default="", name="as")
    as_uid: str = ""
    as_groups: tuple[str, ...] = ()
    as_user_extra: Mapping[str, tuple[str, ...]] = {}
    auth_provider: Mapping[str, object] | None = None
    exec: _Exec | None = None


class _Context(Struct, frozen=True):
    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(Struct, frozen=True):
    name: str
    cluster: _Cluster = _Cluster()


class _NamedUser(Struct, frozen=True):
    name: str
    user: _User = _User()


class _NamedContext(Struct, frozen=True):
    name: str
    context: _Context = _Context()


class _File(Struct, frozen=True, rename="kebab"):
    current_context: str = ""
    clusters: tuple[_NamedCluster, ...] = ()
    users: tuple[_NamedUser, ...] = ()
    contexts: tuple[_NamedContext, ...] = ()


class _Merged:
    """Several files as one: the first that says something wins."""

    def __init__(self, files: Sequence[tuple[Path, _File]]) -> None:
        self.names = ", ".join(str(path) for path, _ in files)
        self.current = next((file.current_context for _, file in files if file.current_context), "")
        self.clusters: dict[str, tuple[Path, _Cluster]] = {}
        self.users: dict[str, tuple[Path, _User]] = {}
        self.contexts: dict[str, _Context] = {}
        for path, file in files:
            for cluster in file.clusters:
                self.clusters.setdefault(cluster.name, (path.parent, cluster.cluster))
            for user in file.users:
                self.users.setdefault(user.name, (path.parent, user.user))
            for context in file.contexts:
                self.contexts.setdefault(context.name, context.context)

    def connection(self, context_name: str) -> Connection:
        name = context_name or self.current
        if not name:
            raise BadConnection(f"{self.names} has no current-context; set one, or name a context.")
        context = self.contexts.get(name)
        if context is None:
            raise BadConnection(f"{self.names} has no context {name!r}; it has {_listed(self.contexts)}.")
        if context.cluster not in self.clusters:
            raise BadConnection(f"The context {name!r} names the cluster {context.cluster!r}, which is not there.")
        if context.user and context.user not in self.users:
            raise BadConnection(f"The context {name!r} names the user {context.user!r}, who is not there.")
        folder, user = self.users.get(context.user, (Path(), _User()))
        return _connection(self.clusters[context.cluster], folder, user, context)


def find_connection(
    environ: Mapping[str, str], kubeconfig: str = "", context: str = "", server: str = ""
) -> Connection:
    """What client-go finds: the kubeconfig named, else `KUBECONFIG`, else the Pod's service account, else
    `~/.kube/config`; `server` overrides the address, and `unix:/path` is a socket. BadConnection says what is wrong.
    """
    if server.startswith("unix:"):
        return over_socket(Path(server.removeprefix("unix:").removeprefix("//")))
    found = _found(environ, kubeconfig, context)
    if found is None:
        if not server:
            raise BadConnection("No API server is named: give --kubeconfig, or set KUBECONFIG, or run in a Pod.")
        return Connection(server=_address(server, is_tls=False))
    if server:
        is_tls = found.server.startswith("https:")
        return msgspec.structs.replace(found, server=_address(server, is_tls=is_tls), socket=None)
    return found


def _found(environ: Mapping[str, str], kubeconfig: str, context: str) -> Connection | None:
    if kubeconfig:
        return load_kubeconfig([Path(kubeconfig)], context)
    if environ.get("KUBECONFIG"):
        named = [Path(part) for part in environ["KUBECONFIG"].split(os.pathsep) if part]
        there = [path for path in named if path.exists()]
        if not there:
            raise BadConnection(f"None of the files in KUBECONFIG ({environ['KUBECONFIG']}) is there; correct it.")
        return load_kubeconfig(there, context)
    if not context and (pod := in_cluster(environ)) is not None:
        return pod
    home = Path(environ.get("HOME", "/")) / ".kube" / "config"
    return load_kubeconfig([home], context) if home.exists() else None


def load_kubeconfig(paths: Sequence[Path], context: str = "") -> Connection:
    """The connection that the context means (empty: the current one) in these files, merged."""
    return _Merged([(path.absolute(), _read_file(path)) for path in paths]).connection(context)


def _read_file(path: Path) -> _File:
    import yaml

    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise BadConnection(f"The kubeconfig {path} is larger than {MOST_BYTES} bytes.")
        return msgspec.convert(_without_nulls(yaml.safe_load(text)) or {}, _File)
    except OSError as error:
        raise BadConnection(f"The kubeconfig {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        # The parser's own words quote the text, which may be a token.
        at = getattr(error, "problem_mark", None)
        where = f" near line {at.line + 1}" if at is not None else ""
        raise BadConnection(f"The kubeconfig {path} is not YAML{where}.") from None
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadConnection(f"The kubeconfig {path} is not understood: {error}.") from error


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value


def _connection(cluster_at: tuple[Path, _Cluster], folder: Path, user: _User, context: _Context) -> Connection:
    cluster_folder, cluster = cluster_at
    if not cluster.server:
        raise BadConnection(f"The cluster {context.cluster!r} of the kubeconfig has no server.")
    if cluster.server.startswith("unix:"):
        socket = over_socket(Path(cluster.server.removeprefix("unix:").removeprefix("//")))
        return msgspec.structs.replace(socket, namespace=context.namespace)
    ca = _material(cluster_folder, cluster.certificate_authority, cluster.certificate_authority_data)
    return Connection(
        server=_address(cluster.server, is_tls=bool(ca or cluster.insecure_skip_tls_verify)),
        namespace=context.namespace,
        trust=Trust(ca=ca, name=cluster.tls_server_name, skip_verify=cluster.insecure_skip_tls_verify),
        certificate=_key_pair(folder, user),
        identification=_identification(folder, user, cluster, ca),
        impersonation=Impersonation(user=user.as_, uid=user.as_uid, groups=user.as_groups, extra=user.as_user_extra),
        proxy=cluster.proxy_url,
    )


def _identification(folder: Path, user: _User, cluster: _Cluster, ca: bytes) -> Identification:
    if user.token_file:
        return TokenFile(folder / user.token_file)
    if user.token:
        return BearerToken(SecretText(user.token))
    if user.username:
        return Password(user.username, SecretText(user.password))
    if user.exec is not None:
        return _exec_command(folder, user.exec, cluster, ca)
    if user.auth_provider is not None:
        raise BadConnection(
            f"The auth-provider {user.auth_provider.get('name')!r} is no longer part of Kubernetes; use an exec plugin."
        )
    return Anonymous()


def _exec_command(folder: Path, plugin: _Exec, cluster: _Cluster, ca: bytes) -> ExecCommand:
    if plugin.api_version not in VERSIONS:
        raise BadConnection(
            f"The exec plugin {plugin.command} wants {plugin.api_version or 'no apiVersion'}; "
            f"known are {' and '.join(VERSIONS)}."
        )
    if plugin.interactive_mode == "Always":
        raise BadConnection(f"The exec plugin {plugin.command} asks its user, and here is none; use another one.")
    has_folder = os.sep in plugin.command
    return ExecCommand(
        api_version=plugin.api_version,
        command=str(folder / plugin.command) if has_folder else plugin.command,
        arguments=plugin.args,
        environment={variable.name: variable.value for variable in plugin.env},
        install_hint=plugin.install_hint,
        cluster=_told(cluster, ca) if plugin.provide_cluster_info else None,
    )


def _told(cluster: _Cluster, ca: bytes) -> dict[str, object]:
    told: dict[str, object] = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": ca,
        "proxy-url": cluster.proxy_url,
    }
    for extension in cluster.extensions:
        if extension.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = extension.get("extension")
    return {name: value for name, value in told.items() if value}


def _key_pair(folder: Path, user: _User) -> KeyPair | None:
    certificate = _material(folder, user.client_certificate, user.client_certificate_data)
    key = _material(folder, user.client_key, user.client_key_data)
    if bool(certificate) != bool(key):
        raise BadConnection("The user of the kubeconfig has a client certificate or a key, but not both.")
    return KeyPair(certificate, key) if certificate else None


def _material(folder: Path, path: str, inline: bytes) -> bytes:
    """Inline data wins over a file, whose path is relative to the kubeconfig."""
    if inline or not path:
        return inline
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise BadConnection(f"{folder / path}, named by the kubeconfig, cannot be read: {error.strerror}.") from error


def _address(server: str, *, is_tls: bool) -> str:
    if "://" not in server:
        server = f"{'https' if is_tls else 'http'}://{server}"
    return server.rstrip("/")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(map(repr, names)) or "none"
