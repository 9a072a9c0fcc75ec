"""The server's own keys, kept in its data folder: a CA, a serving certificate, a client certificate, a token key."""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from certwright.apiserver.caller import MASTERS
from certwright.apiserver.options import StartError
from certwright.kube.wire.json import JSONObject
from certwright.pki.authority import Authority, KeyPair, issue_client, issue_server, new_authority

ADMIN = "kubernetes-admin"
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_RENEW_BEFORE = timedelta(days=60)


class Credentials(Struct, frozen=True):
    """What the server proves itself with, and whom it believes."""

    authority: Authority
    serving: Path
    admin: KeyPair
    token_key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return "Credentials(…)"

    def server_context(self) -> ssl.SSLContext:
        """TLS of the listener; client certificates of our CA are asked for, not demanded."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.serving)
        context.load_verify_locations(cadata=self.authority.cert_pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def kubeconfig(self, url: str) -> JSONObject:
        """A kubeconfig for `url` as administrator."""
        cluster: JSONObject = {"server": url, "certificate-authority-data": _base64(self.authority.cert_pem)}
        user: JSONObject = {
            "client-certificate-data": _base64(self.admin.cert_pem),
            "client-key-data": _base64(self.admin.key_pem),
        }
        context: JSONObject = {"cluster": "certwright", "user": ADMIN}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "certwright",
            "clusters": [{"name": "certwright", "cluster": cluster}],
            "users": [{"name": ADMIN, "user": user}],
            "contexts": [{"name": "certwright", "context": context}],
            "preferences": {},
        }


def load_credentials(folder: Path, names: Iterable[str], now: datetime) -> Credentials:
    """The keys of a data folder; what is missing, or ends soon, is made anew. Raises StartError."""
    keys = folder / "pki"
    try:
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(keys / "ca.pem", now)
        serving = keys / "serving.pem"
        write_private(serving, _pem(_serving(authority, names, now)))
        return Credentials(authority, serving, issue_client(authority, ADMIN, [MASTERS], now), _token_key(keys))
    except OSError as error:
        raise StartError(
            f"The keys in {keys} cannot be used: {error.strerror}. Check the owner and the permissions of the folder."
        ) from error
    except ValueError as error:
        raise StartError(
            f"The keys in {keys} cannot be read: {error}. Remove the file to have new ones made."
        ) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, at once or not at all."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)


def write_kubeconfig(path: Path, config: JSONObject) -> None:
    """Write a kubeconfig; raises StartError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, yaml.safe_dump(config, sort_keys=False).encode())
    except OSError as error:
        raise StartError(f"The kubeconfig {path} cannot be written: {error.strerror}. Name another path.") from error


def _authority(path: Path, now: datetime) -> Authority:
    if path.exists():
        pair = _split(path.read_bytes())
        ends = x509.load_pem_x509_certificate(pair.cert_pem).not_valid_after_utc
        if ends - _RENEW_BEFORE > now:
            return pair
    authority = new_authority("certwright-apiserver-ca", now)
    write_private(path, _pem(authority))
    return authority


def _serving(authority: Authority, names: Iterable[str], now: datetime) -> KeyPair:
    addresses = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    hosts = list(_NAMES)
    for name in names:
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            hosts.append(name)
    return issue_server(authority, list(dict.fromkeys(hosts)), list(dict.fromkeys(addresses)), now)


def _token_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    path = folder / "tokens.pem"
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{path} holds no EC key")
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    write_private(path, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return key


def _pem(pair: KeyPair) -> bytes:
    return pair.cert_pem + pair.key_pem


def _split(content: bytes) -> Authority:
    at = content.find(b"-----BEGIN PRIVATE KEY-----")
    if at < 0:
        raise ValueError("ca.pem holds no private key")
    return Authority(content[:at], content[at:])


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
