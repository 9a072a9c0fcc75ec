"""cert-manager's own controller with its webhook, for the same work on the same machine."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
from msgspec import Struct
from tests.kubernetes.authority import Authority
from tests.kubernetes.processes import Process, free_ports, listens

from bench.processes import cost_of
from bench.servers import Bench, Contender, Server, asking
from certwright.api.meta import JSONObject
from certwright.api.resource import Kind, Resource
from certwright.kube.client.client import KubeClient

PEER = "cert-manager"
AT_WORK = 0.1
"""CPU seconds of a start that has read its flags."""
GROUP = "admissionregistration.k8s.io"


class Peer(Struct, frozen=True):
    """Paths of its programs, and its version where that is known."""

    controller: Path
    webhook: Path
    version: str


def contender(peer: Peer) -> Contender:
    """It, to be started."""
    return Contender(PEER, PEER, partial(_start, peer))


@contextmanager
def _start(peer: Peer, server: Server, flags: Sequence[str] = ()) -> Iterator[Bench]:
    """Their controller at its default flags against a real server, with their webhook in the way of writes."""
    with _webhook(server, peer):
        command = [str(peer.controller), f"--kubeconfig={server.kubeconfig}", "--leader-elect=false", *flags]
        names = ("metrics-listen-address", "healthz-listen-address")
        ports = zip(names, free_ports(2), strict=True)
        command += [f"--{name}=127.0.0.1:{port}" for name, port in ports]
        process = Process(PEER, command, server.folder / f"{PEER}.log")
        try:
            # A program that does not know its flags ends at once; it is not to be taken for a slow one.
            process.wait_until(lambda: cost_of(process.pid).cpu_seconds >= AT_WORK)
            tally = partial(server.tally, PEER)
            yield Bench(server.kind, PEER, server.kubeconfig, process.pid, tally, process.log, stop=process.stop)
        finally:
            process.stop()


@contextmanager
def _webhook(server: Server, peer: Peer) -> Iterator[None]:
    folder = server.folder / "webhook"
    folder.mkdir()
    authority = Authority.new(folder, "Webhook CA")
    serving = authority.server("webhook", ["127.0.0.1"])
    port, health = free_ports(2)
    command = [
        str(peer.webhook),
        f"--kubeconfig={server.kubeconfig}",
        f"--secure-port={port}",
        f"--healthz-port={health}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        "--metrics-listen-address=0",
    ]
    process = Process(f"{PEER} webhook", command, folder / "log")
    try:
        process.wait_until(lambda: listens(port))
        trust = authority.certificate.read_bytes()
        asking(server.kubeconfig, lambda client: _register(client, f"https://127.0.0.1:{port}", trust))
        yield
    finally:
        process.stop()


async def _register(client: KubeClient, address: str, trust: bytes) -> None:
    mutating, validating = _hook(address, "mutate", trust), _hook(address, "validate", trust)
    await _create(client, "Mutating", mutating | {"rules": [_MUTATED]})
    await _create(client, "Validating", validating | {"rules": [_VALIDATED], "namespaceSelector": _SELECTOR})


async def _create(client: KubeClient, sort: str, hook: JSONObject) -> None:
    name = f"{sort}WebhookConfiguration"
    kind: Kind[JSONObject] = Kind(
        Resource(GROUP, "v1", f"{name.lower()}s", name, False),
        lambda raw: cast("JSONObject", msgspec.json.decode(raw, type=dict)),
    )
    metadata: JSONObject = {"name": "cert-manager-webhook"}
    await client.create(kind, {"apiVersion": f"{GROUP}/v1", "kind": name, "metadata": metadata, "webhooks": [hook]})


# As its Helm chart installs them, but by address instead of through a Service.
def _hook(address: str, path: str, trust: bytes) -> JSONObject:
    return {
        "name": "webhook.cert-manager.io",
        "clientConfig": {"url": f"{address}/{path}", "caBundle": base64.b64encode(trust).decode()},
        "admissionReviewVersions": ["v1"],
        "matchPolicy": "Equivalent",
        "timeoutSeconds": 30,
        "failurePolicy": "Fail",
        "sideEffects": "None",
    }


_MUTATED: JSONObject = {
    "apiGroups": ["cert-manager.io"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["certificaterequests"],
}
_VALIDATED: JSONObject = {
    "apiGroups": ["cert-manager.io", "acme.cert-manager.io"],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["*/*"],
}
_SELECTOR: JSONObject = {
    "matchExpressions": [{"key": "cert-manager.io/disable-validation", "operator": "NotIn", "values": ["true"]}]
}
