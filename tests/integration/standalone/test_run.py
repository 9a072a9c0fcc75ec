"""`certwright run` as users run it: issuing without a cluster, killed and started again, refused with a sentence."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import judges
from tests.controller_process import compiled_once
from tests.kubernetes.processes import Process, free_ports

pytestmark = pytest.mark.needs("kubectl")

MANIFESTS = """
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: local}}
spec:
  acme:
    server: {directory}
    privateKeySecretRef: {{name: account}}
    solvers:
    - http01: {{ingress: {{}}}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: web, namespace: default}}
spec:
  secretName: web-tls
  dnsNames: [localhost]
  issuerRef: {{kind: ClusterIssuer, name: local}}
"""


class Standalone:
    """One data folder, with ports that stay the same from run to run."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "run.log"
        self.acme, self.http01 = free_ports(2)
        self.process: Process | None = None

    def command(self, *flags: str) -> list[str]:
        ports = ["--port=0", f"--acme-port={self.acme}", f"--http01-port={self.http01}", "--metrics-listen-address=0"]
        return [sys.executable, "-m", "certwright", "run", f"--data-dir={self.data}", *ports, *flags]

    def start(self) -> None:
        self.process = Process("certwright run", self.command(), self.log, compiled_once())
        self.process.wait_until(lambda: b"next " in self.log.read_bytes())

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stop()

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        environment = {**os.environ, "KUBECACHEDIR": str(self.data / "kubectl-cache")}
        done = subprocess.run(
            [str(judges.require("kubectl")), f"--kubeconfig={self.data / 'kubeconfig'}", *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            env=environment,
        )
        assert done.returncode == 0, f"{args}: {done.stderr}\n{self.log.read_text()[-4000:]}"
        return done.stdout

    def get(self, *args: str) -> Any:
        return json.loads(self.kubectl("get", *args, "-o", "json"))

    def issue(self) -> None:
        text = MANIFESTS.format(directory=f"https://127.0.0.1:{self.acme}/directory")
        self.kubectl("apply", "-f", "-", stdin=text)
        self.kubectl("wait", "--for=condition=Ready", "certificate/web", "--timeout=60s")


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Standalone]:
    found = Standalone(tmp_path)
    found.start()
    yield found
    if found.process is not None:
        found.process.stop()


def refused(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=compiled_once())
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_certificate_by_http01_from_the_local_ca(standalone: Standalone) -> None:
    standalone.issue()

    secret = standalone.get("secret", "web-tls")
    chain = base64.b64decode(secret["data"]["tls.crt"])

    assert chain.count(b"BEGIN CERTIFICATE") == 2
    assert not standalone.get("ingress", "-A")["items"], "names lead to the process itself: no Ingress is made"
    assert not standalone.get("challenges.acme.cert-manager.io", "-A")["items"]


def test_everything_is_there_after_a_kill(standalone: Standalone) -> None:
    standalone.issue()
    before = standalone.get("secret", "web-tls")
    account = standalone.get("clusterissuer", "local")["status"]["acme"]["uri"]

    standalone.kill()
    standalone.start()
    standalone.kubectl("delete", "secret", "web-tls")
    standalone.kubectl("wait", "--for=create", "secret/web-tls", "--timeout=60s")

    after = standalone.get("secret", "web-tls")
    assert after["data"]["tls.crt"] != before["data"]["tls.crt"]
    assert standalone.get("clusterissuer", "local")["status"]["acme"]["uri"] == account
    assert standalone.get("certificate", "web")["status"]["revision"] == 2


def test_two_processes_on_one_folder(standalone: Standalone) -> None:
    words = refused(standalone.command("--acme=false"))

    assert "is in use" in words or "another" in words, words


def test_a_port_in_use(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        for flag in (f"--port={port}", f"--acme-port={port}", f"--http01-port={port}"):
            command = [*Standalone(tmp_path).command(), flag]
            assert f"127.0.0.1:{port} cannot be listened on" in refused(command), flag


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")

    words = refused(Standalone(tmp_path).command())

    assert str(tmp_path / "data") in words
