"""What a controller costs that has nothing to do: memory and CPU from its start until it is quiet.

`python -m bench.scale --certificates 100000` clones one issued Certificate with its request and Secret straight into
the storage of an embedded server, serves that, and starts the controller as a process of its own.
`--foreign-secrets N` adds Secrets that are not ours.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct
from tests.controller_process import ControllerProcess, compiled_once
from tests.kubernetes.processes import Process

from bench.driver import NAMESPACE, certificate, issue, prepare
from bench.issuance import RESULTS, client_of, run
from bench.processes import Cost, cost_of
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST
from certwright.api.meta import JSONObject
from certwright.apiserver.storage.database import Database
from certwright.apiserver.storage.store import Store
from certwright.clock import SystemClock
from certwright.kube.wire.keys import ObjectKey

SEED = "seed"
STEP = timedelta(seconds=1)
QUIET_CPU = 0.03
"""CPU seconds in a second below which a process is quiet."""
QUIET_STEPS = 3
PATIENCE = 600


class Result(Struct, frozen=True, kw_only=True):
    """Times in seconds, memory in MiB."""

    certificates: int
    foreign_secrets: int
    seconds_until_quiet: float
    cpu_seconds: float
    rss: float
    peak: float
    writes: int
    date: str
    machine: str


@contextmanager
def served(folder: Path, *flags: str) -> Iterator[Path]:
    """An embedded server; the path of its kubeconfig."""
    log = folder / "run.log"
    command = [sys.executable, "-m", "certwright", "run", f"--data-dir={folder / 'data'}", "--port=0", "--acme=false"]
    command += ["--metrics-listen-address=0", "--http01-port=0", "-v=-1", *flags]
    process = Process("certwright run", command, log, {**compiled_once(), "PYTHONUNBUFFERED": "1"})
    try:
        process.wait_until(lambda: b"next " in log.read_bytes())
        yield folder / "data" / "kubeconfig"
    finally:
        process.stop()


async def issue_seed(kubeconfig: Path) -> None:
    """One Certificate of a CA issuer, Ready."""
    client = client_of(kubeconfig)
    try:
        await prepare(client)
        await issue(client, SystemClock(), [certificate(SEED, "ECDSA")])
        await SystemClock().wait(STEP)
    finally:
        await client.close()


def clone(folder: Path, count: int, foreign: int) -> None:
    """Write `count` copies of the seed, and `foreign` Secrets of others, into the storage of a stopped server."""
    database = Database(folder)
    try:
        store = Store(database)
        for number in range(count):
            name = f"c-{number:06}"
            for resource, old, new in (
                (CERTIFICATE.resource, SEED, name),
                (CERTIFICATE_REQUEST.resource, f"{SEED}-1", f"{name}-1"),
                (SECRET.resource, SEED, name),
            ):
                found = store.get(resource.qualified, ObjectKey(NAMESPACE, old))
                assert found is not None, f"{resource.kind} {old} is not there"
                store.create(resource.qualified, _renamed(found.obj(), new, name, number))
        for number in range(foreign):
            store.create(SECRET.resource.qualified, _foreign(number))
    finally:
        database.close()


def _renamed(obj: JSONObject, name: str, certificate_name: str, number: int) -> JSONObject:
    text = msgspec.json.encode(obj).decode()
    text = text.replace(f'certificate-name":"{SEED}"', f'certificate-name":"{certificate_name}"')
    copy: JSONObject = msgspec.json.decode(text)
    metadata = copy["metadata"]
    assert isinstance(metadata, dict)
    uid = f"00000000-0000-4000-8000-{number:012x}"
    metadata |= {"name": name, "uid": uid if copy["kind"] == "Certificate" else f"{name}-{number:x}"}
    spec = copy.get("spec")
    if copy["kind"] == "Certificate" and isinstance(spec, dict):
        spec["secretName"] = name
    if copy["kind"] == "CertificateRequest":
        owner = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": certificate_name, "uid": uid}
        metadata["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
    return copy


def _foreign(number: int) -> JSONObject:
    name = f"foreign-{number:06}"
    metadata: JSONObject = {"name": name, "namespace": NAMESPACE, "uid": name, "labels": {"app": f"a{number % 100}"}}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    data: JSONObject = {"value": "QUJD" * 500}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


async def until_quiet(pid: int) -> float:
    """Seconds until the process has been quiet for a while, that while left out."""
    clock = SystemClock()
    started, quiet, before = clock.monotonic(), 0, cost_of(pid).cpu_seconds
    async with asyncio.timeout(PATIENCE):
        while quiet < QUIET_STEPS:
            await clock.wait(STEP)
            now = cost_of(pid).cpu_seconds
            quiet = quiet + 1 if now - before < QUIET_CPU else 0
            before = now
    return clock.monotonic() - started - QUIET_STEPS * STEP.total_seconds()


async def revision(kubeconfig: Path) -> int:
    """The server's newest resource version: it moves with every write."""
    client = client_of(kubeconfig)
    try:
        body = msgspec.json.decode(await client.get_raw("/api/v1/namespaces?limit=1"))
        return int(body["metadata"]["resourceVersion"])
    finally:
        await client.close()


def measure(folder: Path, asked: argparse.Namespace) -> Result:
    """From the seed to the result."""
    with served(folder, "--legacy-mode=off") as kubeconfig:
        run(lambda: issue_seed(kubeconfig))
    clone(folder / "data", asked.certificates, asked.foreign_secrets)
    with served(folder, "--controllers=") as kubeconfig:
        before = run(lambda: revision(kubeconfig))
        clock = SystemClock()
        started = clock.monotonic()
        controller = ControllerProcess(folder, kubeconfig, ["-v=0"])
        controller.start()
        try:
            ready = clock.monotonic() - started
            seconds = ready + run(lambda: until_quiet(controller.pid))
            cost: Cost = cost_of(controller.pid)
            writes = run(lambda: revision(kubeconfig)) - before
        finally:
            controller.stop()
    return Result(
        certificates=asked.certificates,
        foreign_secrets=asked.foreign_secrets,
        seconds_until_quiet=round(seconds, 1),
        cpu_seconds=round(cost.cpu_seconds, 1),
        rss=round(cost.rss_mib, 1),
        peak=round(cost.peak_mib, 1),
        writes=writes,
        date=f"{SystemClock().now():%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, Python {platform.python_version()}",
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--certificates", type=int, default=4300)
    parser.add_argument("--foreign-secrets", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        result = measure(Path(folder), asked)
    text = msgspec.json.format(msgspec.json.encode(result))
    sys.stdout.write(text.decode() + "\n")
    RESULTS.mkdir(exist_ok=True)
    name = f"{result.date}-scale-{result.certificates}-{result.foreign_secrets}.json"
    (RESULTS / name).write_bytes(text + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
