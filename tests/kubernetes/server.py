"""A real control plane in child processes: etcd, kube-apiserver and the few controllers that clients rely on."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.kubernetes.audit import POLICY, Write, count_writes
from tests.kubernetes.authority import Authority, KeyPair, signing_pair
from tests.kubernetes.kubeconfig import write_kubeconfig
from tests.kubernetes.processes import Process, free_ports, listens
from tools import test_tools

CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
)
# Kinds that the product serves or reads and that a default cluster leaves off.
RUNTIME_CONFIG = "certificates.k8s.io/v1beta1=true"
FEATURES = "ClusterTrustBundle=true,ClusterTrustBundleProjection=true,PodCertificateRequest=true"


class KubernetesServer:
    """One control plane on free ports of 127.0.0.1, all of whose files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = Authority.new(folder, "Kubernetes test CA")
        self._etcd_port, self._peer_port, self._port = free_ports(3)
        self._processes: list[Process] = []
        self._users: dict[str, KeyPair] = {}
        self._service_accounts = signing_pair(folder, "service-accounts")
        self.address = f"https://127.0.0.1:{self._port}"
        self.ca = self._authority.certificate
        self.kubeconfig = folder / "kubeconfig"

    def start(self) -> None:
        """Return when the API is ready; raises StartFailed, or ToolMissing where the programs cannot be had."""
        admin = self.user("admin", ["system:masters"])
        write_kubeconfig(self.kubeconfig, self.address, self.ca, admin)
        try:
            self._start_etcd()
            self._start_apiserver(admin)
            self._start_controllers()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all processes, the last first, and wait until they are gone."""
        while self._processes:
            self._processes.pop().stop()

    def user(self, name: str, groups: Sequence[str] = ()) -> KeyPair:
        """A client certificate for that user."""
        if name not in self._users:
            self._users[name] = self._authority.client(f"user-{name}", name, groups)
        return self._users[name]

    def writes(self, user_agent_prefix: str) -> Counter[Write]:
        """Accepted writes of callers whose User-Agent starts so."""
        return count_writes(self._folder / "audit.log", user_agent_prefix)

    def _run(self, program: str, options: dict[str, str]) -> Process:
        path = _program(program)
        arguments = [f"--{name}={value}" for name, value in options.items()]
        process = Process(program, [str(path), *arguments], self._folder / f"{program}.log")
        self._processes.append(process)
        return process

    def _start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        etcd = self._run(
            "etcd",
            {
                "data-dir": str(self._folder / "etcd"),
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": f"default={peer}",
                "unsafe-no-fsync": "true",
                "log-level": "warn",
            },
        )
        etcd.wait_until(lambda: listens(self._etcd_port))

    def _start_apiserver(self, admin: KeyPair) -> None:
        policy = self._folder / "audit-policy.yaml"
        policy.write_text(POLICY)
        server = self._run("kube-apiserver", {**self._network_options(), **self._security_options(policy)})
        trust = ssl.create_default_context(cafile=self.ca)
        trust.load_cert_chain(admin.certificate, admin.key)
        server.wait_until(lambda: _answers(f"{self.address}/readyz", trust))

    def _network_options(self) -> dict[str, str]:
        serving = self._authority.server("serving", ["localhost", "kubernetes.default.svc", "127.0.0.1"])
        return {
            "etcd-servers": f"http://127.0.0.1:{self._etcd_port}",
            "bind-address": "127.0.0.1",
            "secure-port": str(self._port),
            "advertise-address": "192.0.2.1",
            "endpoint-reconciler-type": "none",
            "service-cluster-ip-range": "10.96.0.0/16",
            "tls-cert-file": str(serving.certificate),
            "tls-private-key-file": str(serving.key),
            "client-ca-file": str(self.ca),
            "runtime-config": RUNTIME_CONFIG,
            "feature-gates": FEATURES,
        }

    def _security_options(self, audit_policy: Path) -> dict[str, str]:
        return {
            "authorization-mode": "RBAC",
            "disable-admission-plugins": "ServiceAccount",
            "allow-privileged": "true",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": str(self._service_accounts.certificate),
            "service-account-signing-key-file": str(self._service_accounts.key),
            "audit-policy-file": str(audit_policy),
            "audit-log-path": str(self._folder / "audit.log"),
        }

    def _start_controllers(self) -> None:
        self._run(
            "kube-controller-manager",
            {
                "kubeconfig": str(self.kubeconfig),
                "controllers": ",".join(CONTROLLERS),
                "leader-elect": "false",
                "secure-port": "0",
                "root-ca-file": str(self.ca),
                "service-account-private-key-file": str(self._service_accounts.key),
            },
        )


def _program(name: str) -> Path:
    """From `KUBEBUILDER_ASSETS` where it has the program, else built (minutes, once)."""
    return test_tools.from_assets(name) or test_tools.build("kubernetes") / name


def _answers(url: str, trust: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(url, context=trust, timeout=5):  # noqa: S310 the scheme is ours
            return True
    except (urllib.error.URLError, OSError):
        return False
