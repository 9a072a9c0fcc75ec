"""Runs a credential plugin (client.authentication.k8s.io), and keeps what it says until that expires."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from certwright.clock import Clock
from certwright.kube.client.credentials import ExecCommand, KeyPair, Proof
from certwright.kube.client.errors import BadConnection
from certwright.rest import SecretText

VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
LONGEST_RUN = timedelta(minutes=1)
LONGEST_END = timedelta(seconds=5)
MOST_ANSWER_BYTES = 1024 * 1024
MOST_ERROR_WORDS = 500


class _Status(Struct, frozen=True, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _ExecCredential(Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    status: _Status | None = None


class ExecProver:
    """One run of the plugin at a time serves all requests that wait for it."""

    def __init__(self, command: ExecCommand, clock: Clock, environ: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._clock = clock
        self._environ = os.environ if environ is None else environ
        self._proof: Proof | None = None
        self._until: datetime | None = None
        self._lock = asyncio.Lock()

    async def proof(self) -> Proof:
        if self._proof is not None and not self._is_over():
            return self._proof
        async with self._lock:
            if self._proof is None or self._is_over():
                status = await self._run()
                self._proof, self._until = _proof_of(status, self._command), status.expiration_timestamp
            return self._proof

    def refused(self, proof: Proof) -> bool:
        if proof is self._proof:
            self._proof = None
        return True

    def _is_over(self) -> bool:
        return self._until is not None and self._clock.now() >= self._until

    async def _run(self) -> _Status:
        command = self._command
        try:
            process = await asyncio.create_subprocess_exec(
                command.command,
                *command.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**self._environ, **command.environment, "KUBERNETES_EXEC_INFO": self._request()},
            )
        except OSError as error:
            hint = f" {command.install_hint.strip()}" if command.install_hint else " Install it, or correct its path."
            raise BadConnection(f"The credential plugin {command.command} does not run: {error.strerror}.{hint}") from (
                error
            )
        code, out, err = await self._finish(process)
        if code != 0:
            words = err.decode(errors="replace").strip()[:MOST_ERROR_WORDS]
            raise BadConnection(f"The credential plugin {command.command} failed with exit code {code}: {words}")
        return _read(out, command)

    async def _finish(self, process: asyncio.subprocess.Process) -> tuple[int, bytes, bytes]:
        try:
            async with asyncio.timeout(LONGEST_RUN.total_seconds()):
                out, err = await asyncio.gather(_read_all(process, process.stdout), _read_all(process, process.stderr))
                return await process.wait(), out, err
        except TimeoutError as error:
            raise BadConnection(
                f"The credential plugin {self._command.command} did not end within {LONGEST_RUN.total_seconds():g} s."
            ) from error
        finally:
            if process.returncode is None:
                await _end(process)

    def _request(self) -> str:
        spec: dict[str, object] = {"interactive": False}
        if self._command.cluster is not None:
            spec["cluster"] = self._command.cluster
        body = {"apiVersion": self._command.api_version, "kind": "ExecCredential", "spec": spec}
        return msgspec.json.encode(body).decode()


async def _end(process: asyncio.subprocess.Process) -> None:
    process.kill()
    # A child of the plugin's may still hold its pipes.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_END.total_seconds()):
            await process.communicate()


async def _read_all(process: asyncio.subprocess.Process, stream: asyncio.StreamReader | None) -> bytes:
    """What the plugin says; one that says too much is killed, and has said nothing."""
    assert stream is not None
    found = bytearray()
    is_too_much = False
    while part := await stream.read(64 * 1024):
        found += part
        if len(found) > MOST_ANSWER_BYTES:
            # Reading goes on, since a full pipe would keep the end of the process from being seen.
            is_too_much = True
            found.clear()
            if process.returncode is None:
                process.kill()
    return b"" if is_too_much else bytes(found)


def _read(body: bytes, command: ExecCommand) -> _Status:
    try:
        answer = msgspec.json.decode(body, type=_ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's words could quote the token.
        raise BadConnection(f"The credential plugin {command.command} printed no ExecCredential.") from None
    if answer.kind != "ExecCredential" or answer.api_version != command.api_version or answer.status is None:
        raise BadConnection(
            f"The credential plugin {command.command} answered {answer.api_version} {answer.kind} "
            f"where {command.api_version} ExecCredential with a status was asked for; update it or its apiVersion."
        )
    return answer.status


def _proof_of(status: _Status, command: ExecCommand) -> Proof:
    pair = None
    if status.client_certificate_data and status.client_key_data:
        pair = KeyPair(status.client_certificate_data.encode(), status.client_key_data.encode())
    if not status.token and pair is None:
        raise BadConnection(f"The credential plugin {command.command} gave neither a token nor a certificate with key.")
    return Proof(SecretText(f"Bearer {status.token}" if status.token else ""), pair)
