"""HashiCorp Vault as a real process, with a PKI of root and intermediate and every way to sign in."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests import judges
from tests.kubernetes.authority import Authority
from tests.kubernetes.processes import Process, free_ports

ROOT = "pki/root"
SIGN_PATH = "pki_int/sign/web"
POLICY = f'path "{SIGN_PATH}" {{ capabilities = ["create", "update"] }}'
ROLE = {
    "allowed_domains": ["example.test"],
    "allow_subdomains": True,
    "allow_ip_sans": True,
    "allowed_uri_sans": ["spiffe://*"],
    "key_type": "any",
    "max_ttl": "8760h",
    "require_cn": False,
}
Plain = dict[str, Any]  # JSON


class VaultRefused(Exception):
    """Vault did not do what the rig asked."""


class Vault:
    """One server on free ports of 127.0.0.1, storing in memory; `port_mtls` wants a client certificate."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.new(folder, "Vault TLS")
        self.port, self.port_mtls = free_ports(2)
        self._folder = folder
        self._process: Process | None = None
        self._token = ""
        self._key = ""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def url_mtls(self) -> str:
        return f"https://127.0.0.1:{self.port_mtls}"

    @property
    def ca(self) -> bytes:
        """PEM to trust it by."""
        return self.authority.certificate.read_bytes()

    def start(self) -> None:
        """Return when it answers; it is neither initialized nor unsealed then."""
        config = self._folder / "vault.json"
        config.write_text(json.dumps(self._config()))
        command = [str(judges.require("vault")), "server", f"-config={config}"]
        # Certificates of other authorities may have serial numbers that newer Go refuses by default.
        environment = {**os.environ, "GODEBUG": "x509negativeserial=1", "VAULT_TOKEN": ""}
        self._process = Process("vault", command, self._folder / "vault.log", environment)
        self._process.wait_until(self._answers)

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def call(self, method: str, path: str, body: Plain | None = None) -> Plain:
        """Any call, as root; VaultRefused with Vault's words."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Vault-Token": self._token, "X-Vault-Request": "true"}
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, headers, method=method)  # noqa: S310 the scheme is ours
        try:
            with urllib.request.urlopen(request, context=self._trust(), timeout=30) as answer:  # noqa: S310 the scheme is ours
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise VaultRefused(f"{method} {path}: {error.code} {error.read().decode()}") from error
        found: Plain = json.loads(text) if text else {}
        return found

    def initialize(self) -> None:
        """Make the one key, and the root token."""
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self._key, self._token = made["keys_base64"][0], made["root_token"]

    def unseal(self) -> None:
        """Return when it serves."""
        self.call("PUT", "sys/unseal", {"key": self._key})
        assert self._process is not None
        self._process.wait_until(self._is_active)

    def seal(self) -> None:
        """Until it is unsealed."""
        self.call("PUT", "sys/seal")

    def set_up_pki(self) -> None:
        """A root, an intermediate below it, the role `web` and the policy `issuer`."""
        for mount in ("pki", "pki_int"):
            self.call("POST", f"sys/mounts/{mount}", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
        ca = {"ttl": "87600h", "key_type": "ec", "key_bits": 256}
        root = self.call("POST", f"{ROOT}/generate/internal", {"common_name": "Vault root", **ca})
        asked = self.call("POST", "pki_int/intermediate/generate/internal", {"common_name": "Vault below", **ca})
        signing = {"csr": asked["data"]["csr"], "common_name": "Vault below", "ttl": "43800h"}
        signed = self.call("POST", f"{ROOT}/sign-intermediate", signing)
        bundle = "\n".join((signed["data"]["certificate"], root["data"]["certificate"]))
        self.call("POST", "pki_int/intermediate/set-signed", {"certificate": bundle})
        self.call("POST", "pki_int/roles/web", ROLE)
        self.call("PUT", "sys/policies/acl/issuer", {"policy": POLICY})

    def new_token(self, *policies: str) -> str:
        """A token with these policies."""
        made = self.call("POST", "auth/token/create", {"policies": list(policies), "ttl": "1h"})
        return str(made["auth"]["client_token"])

    def revoke(self, token: str) -> None:
        """The token is known no longer."""
        self.call("POST", "auth/token/revoke", {"token": token})

    def set_up_app_role(self) -> tuple[str, str]:
        """Role id and secret id."""
        self._enable("approle")
        self.call("POST", "auth/approle/role/issuer", {"token_policies": "issuer", "token_ttl": "20m"})
        role = self.call("GET", "auth/approle/role/issuer/role-id")["data"]["role_id"]
        return role, self.call("POST", "auth/approle/role/issuer/secret-id")["data"]["secret_id"]

    def set_up_certificates(self, name: str) -> None:
        """Client certificates of our own authority with that common name are let in."""
        self._enable("cert")
        role = {"certificate": self.ca.decode(), "allowed_common_names": name, "token_policies": "issuer"}
        self.call("POST", "auth/cert/certs/web", role)

    def set_up_kubernetes(self, host: str, ca: str, namespace: str, reviewer: str) -> None:
        """Service accounts of one namespace are let in; `reviewer` is a token that may ask who a token is of."""
        self._enable("kubernetes")
        config = {"kubernetes_host": host, "kubernetes_ca_cert": ca, "token_reviewer_jwt": reviewer}
        self.call("POST", "auth/kubernetes/config", {**config, "disable_local_ca_jwt": True})
        bound = {"bound_service_account_names": "vault-login", "bound_service_account_namespaces": namespace}
        role = {**bound, "audience": f"vault://{namespace}/vault", "token_policies": "issuer"}
        self.call("POST", "auth/kubernetes/role/issuer", role)

    def set_up_aws(self, sts: str, arn: str, server_id: str) -> None:
        """The role of that ARN is let in, as an STS at that URL knows it."""
        self._enable("aws")
        client = {"sts_endpoint": sts, "sts_region": "us-east-1", "iam_server_id_header_value": server_id}
        self.call("POST", "auth/aws/config/client", client)
        role = {"auth_type": "iam", "bound_iam_principal_arn": arn, "resolve_aws_unique_ids": False}
        self.call("POST", "auth/aws/role/issuer", {**role, "token_policies": "issuer"})

    def _enable(self, method: str) -> None:
        if f"{method}/" not in self.call("GET", "sys/auth")["data"]:
            self.call("POST", f"sys/auth/{method}", {"type": method})

    def _config(self) -> Plain:
        serving = self.authority.server("vault", ["localhost", "127.0.0.1"])
        tls = {"tls_cert_file": str(serving.certificate), "tls_key_file": str(serving.key)}
        client = {"tls_client_ca_file": str(self.authority.certificate), "tls_require_and_verify_client_cert": True}
        return {
            "storage": {"inmem": {}},
            "listener": [
                {"tcp": {"address": f"127.0.0.1:{self.port}", **tls}},
                {"tcp": {"address": f"127.0.0.1:{self.port_mtls}", **tls, **client}},
            ],
            "api_addr": self.url,
            "disable_mlock": True,
            "log_level": "warn",
        }

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority.certificate)

    def _answers(self) -> bool:
        try:
            self.call("GET", "sys/seal-status")
        except (VaultRefused, OSError):
            return False
        return True

    def _is_active(self) -> bool:
        try:
            self.call("GET", "sys/health")
        except (VaultRefused, OSError):
            return False
        return True
