"""Credential plugins: real processes."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import START, MovableClock
from tests.unit.kube.client.api import json_answer, serving

from certwright.api.core_kinds import CONFIG_MAP
from certwright.clock import Clock
from certwright.kube.client import exec_plugin
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.client.credentials import ExecCommand, KeyPair
from certwright.kube.client.errors import BadConnection
from certwright.kube.client.exec_plugin import ExecProver
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Unauthorized

V1 = "client.authentication.k8s.io/v1"
# Counts its runs in a file, and gives a token with that number.
SCRIPT = """
import json, os, pathlib, sys
runs = pathlib.Path(sys.argv[1])
number = int(runs.read_text() or 0) + 1 if runs.exists() else 1
runs.write_text(str(number))
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
status = {"token": f"token-{number}", **json.loads(os.environ.get("STATUS", "{}"))}
print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": status, "asked": asked}))
"""


def command(tmp_path: Path, status: object = None, **more: object) -> ExecCommand:
    script = tmp_path / "plugin.py"
    script.write_text(SCRIPT)
    given: dict[str, object] = {
        "api_version": V1,
        "command": sys.executable,
        "arguments": (str(script), str(tmp_path / "runs")),
        "environment": {"STATUS": json.dumps(status or {})},
        **more,
    }
    return ExecCommand(**given)  # type: ignore[arg-type] # fields by name


def printing(text: str, **more: object) -> ExecCommand:
    return ExecCommand(
        api_version=V1,
        command=sys.executable,
        arguments=(
            "-c",
            f"import sys; sys.stdout.write({text!r}); sys.stderr.write('why'); sys.exit({more.get('code', 0)})",
        ),
    )


def prover(what: ExecCommand, clock: Clock | None = None) -> ExecProver:
    return ExecProver(what, clock or MovableClock())


async def test_what_it_says_is_kept_until_it_expires(tmp_path: Path) -> None:
    clock = MovableClock()
    plugin = prover(command(tmp_path, {"expirationTimestamp": (START + timedelta(minutes=5)).isoformat()}), clock)

    first = await asyncio.gather(*(plugin.proof() for _ in range(5)))
    clock.advance(timedelta(minutes=4, seconds=59))
    second = await plugin.proof()
    clock.advance(timedelta(seconds=1))
    third = await plugin.proof()

    tokens = [each.authorization.reveal() for each in (*first, second, third)]
    assert tokens == ["Bearer token-1"] * 6 + ["Bearer token-2"]


async def test_a_refusal_asks_it_again_once(tmp_path: Path) -> None:
    body = json.dumps({"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "no"})
    refused, fine = json_answer(body, 401), json_answer('{"metadata":{"name":"a"}}')
    async with serving(refused, fine, refused) as api:
        connection = Connection(server=api.url, identification=command(tmp_path))
        client = KubeClient(connection, MovableClock())
        await client.get(CONFIG_MAP, ObjectKey("n", "a"))
        with pytest.raises(Unauthorized):
            await client.get(CONFIG_MAP, ObjectKey("n", "a"))
        await client.close()

    sent = [each.headers["Authorization"] for each in api.requests]
    assert sent == [f"Bearer token-{number}" for number in (1, 2, 2, 3)]


async def test_a_certificate_instead_of_a_token(tmp_path: Path) -> None:
    status = {"token": None, "clientCertificateData": "C", "clientKeyData": "K"}

    proof = await prover(command(tmp_path, status)).proof()

    assert proof.certificate == KeyPair(b"C", b"K")
    assert not proof.authorization


async def test_it_is_told_of_the_cluster(tmp_path: Path) -> None:
    check = (
        "import json, os, sys; asked = json.loads(os.environ['KUBERNETES_EXEC_INFO']); "
        "assert asked['spec'] == json.loads(sys.argv[1])"
    )
    told = {"server": "https://h", "certificate-authority-data": b"ca"}
    wanted = {"interactive": False, "cluster": {"server": "https://h", "certificate-authority-data": "Y2E="}}
    answer = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": {"token": "t"}})
    what = ExecCommand(
        api_version=V1,
        command=sys.executable,
        arguments=("-c", f"{check}; print({answer!r})", json.dumps(wanted)),
        cluster=told,
    )

    assert (await prover(what).proof()).authorization.reveal() == "Bearer t"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (printing("", code=3), "failed with exit code 3: why"),
        (printing("token: s3cret"), "printed no ExecCredential"),
        (printing('{"apiVersion":"v1","kind":"Pod","status":{}}'), "answered v1 Pod"),
        (printing(f'{{"apiVersion":"{V1}","kind":"ExecCredential","status":{{}}}}'), "neither a token nor"),
        (
            ExecCommand(api_version=V1, command=sys.executable, arguments=("-c", "print('x' * 2_000_000)")),
            "failed with exit code -9",
        ),
        (ExecCommand(api_version=V1, command="/absent/plugin", install_hint="Get it."), "does not run.*Get it"),
        (ExecCommand(api_version=V1, command="/absent/plugin"), "Install it, or correct its path"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(what: ExecCommand, words: str) -> None:
    with pytest.raises(BadConnection, match=words) as caught:
        await prover(what).proof()

    assert "s3cret" not in str(caught.value)


async def test_one_that_never_ends_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_plugin, "LONGEST_RUN", timedelta(milliseconds=200))
    what = ExecCommand(api_version=V1, command=sys.executable, arguments=("-c", "import signal; signal.pause()"))

    with pytest.raises(BadConnection, match="did not end within"):
        await prover(what).proof()
