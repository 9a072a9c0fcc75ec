"""Kills, full disks and taken ports: what was answered is kept, and every refusal is a sentence."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.kubernetes.authority import Authority
from tests.kubernetes.http import Http
from tests.kubernetes.processes import Process, StartFailed, free_ports, listens

ROOT = Path(__file__).resolve().parents[3]
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
WRITERS = 8
WRITES_BEFORE_THE_KILL = 300


class Machine:
    """A data folder and a port, on which servers are started and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        (self.port,) = free_ports(1)
        self._running: Process | None = None
        self._starts = 0

    def start(self, *more: str) -> Process:
        """A process that may not be ready yet."""
        self._running = self.process(self.port, *more)
        return self._running

    def process(self, port: int, *more: str) -> Process:
        """One more process on the folder; the caller ends it."""
        self._starts += 1
        command = [sys.executable, "-m", "tests.integration.apiserver.serve", str(self._data), str(port), *more]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        return Process("server", command, self._folder / f"{self._starts}.log", environment)

    def run(self, *more: str) -> None:
        """Return when the API is served."""
        self.start(*more).wait_until(lambda: listens(self.port) and (self._data / "kubeconfig").exists())

    def kill(self) -> None:
        """As `kill -9` does, and wait until it is gone."""
        if self._running is not None:
            self._running.kill()
            self._running = None

    def caller(self) -> Http:
        """An administrator."""
        authority = Authority.of_file(self._folder, self._data / "pki" / "ca.pem")
        pair = authority.client("admin", "admin", ["system:masters"])
        trust = ssl.create_default_context(cafile=authority.certificate)
        trust.load_cert_chain(pair.certificate, pair.key)
        return Http(f"https://127.0.0.1:{self.port}", trust)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.kill()


class Writer:
    """Creates, changes and deletes ConfigMaps of its own, and remembers what was answered."""

    def __init__(self, http: Http, name: str) -> None:
        self._http = http
        self._name = name
        self.answered: dict[str, tuple[int, str | None]] = {}
        """The last answer by object: its version and value, None for a deletion."""
        self.asked: dict[str, str | None] = {}
        """The write of that object that may or may not have happened."""
        self.count = 0

    async def write_until_cut_off(self) -> None:
        """Write until the server is gone."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            while True:
                await self._life(f"{self._name}-{len(self.answered)}")

    async def _life(self, name: str) -> None:
        path = f"{CONFIGMAPS}/{name}"
        await self._write(name, "0", "POST", CONFIGMAPS, {"metadata": {"name": name}, "data": {"k": "0"}})
        for value in ("1", "2"):
            await self._write(name, value, "PATCH", path, {"data": {"k": value}})
        if len(self.answered) % 3 == 0:
            await self._write(name, None, "DELETE", path, None)

    async def _write(self, name: str, value: str | None, verb: str, path: str, body: object) -> None:
        self.asked[name] = value
        headers = {"Content-Type": "application/merge-patch+json"} if verb == "PATCH" else None
        answer = await self._http.call(verb, path, headers=headers, json=body)
        version = int(answer.ok["metadata"].get("resourceVersion", 0))
        self.answered[name] = (version, value)
        self.count += 1


async def test_every_answered_write_survives_a_kill(machine: Machine) -> None:
    machine.run()
    for turn in range(3):
        async with machine.caller() as http:
            writers = [Writer(http, f"turn{turn}-writer{number}") for number in range(WRITERS)]
            tasks = [asyncio.create_task(writer.write_until_cut_off()) for writer in writers]
            while sum(writer.count for writer in writers) < WRITES_BEFORE_THE_KILL:
                await asyncio.wait(tasks, timeout=0.01)
            machine.kill()
            await asyncio.gather(*tasks)

        machine.run()

        async with machine.caller() as http:
            found = {item["metadata"]["name"]: item for item in (await http.get(CONFIGMAPS)).ok["items"]}
            for writer in writers:
                assert lost(writer, found) == []
            newest = (await http.post(CONFIGMAPS, {"metadata": {"name": f"after-{turn}"}})).version
            assert int(newest) > max(version for writer in writers for version, _ in writer.answered.values())


def lost(writer: Writer, found: dict[str, Any]) -> list[str]:
    """What was answered and is not there; the one write that was under way may have happened or not."""
    faults: list[str] = []
    for name, (version, value) in writer.answered.items():
        possible = {value, writer.asked[name]}
        item = found.get(name)
        if item is None:
            if None not in possible:
                faults.append(f"{name} is gone")
        elif item["data"]["k"] not in possible or int(item["metadata"]["resourceVersion"]) < version:
            faults.append(f"{name} is {item['data']}, answered was {value}")
    return faults


async def test_a_full_disk_refuses_writes_and_goes_on_reading(machine: Machine) -> None:
    machine.run()
    machine.kill()
    machine.run(str(3 * 1024 * 1024))
    async with machine.caller() as http:
        answers = [
            await http.post(CONFIGMAPS, {"metadata": {"name": f"big-{number}"}, "data": {"k": "x" * 200_000}})
            for number in range(20)
        ]
        read = await http.get(CONFIGMAPS)

    refused = [answer for answer in answers if answer.code != 201]
    stored = {item["metadata"]["name"] for item in read.ok["items"]}
    assert refused
    assert {answer.code for answer in refused} == {500}
    assert "nothing was changed" in refused[0].body["message"]
    assert {answer.ok["metadata"]["name"] for answer in answers if answer.code == 201} <= stored

    machine.kill()
    machine.run()
    async with machine.caller() as http:
        again = {item["metadata"]["name"] for item in (await http.get(CONFIGMAPS)).ok["items"]}
        written = await http.post(CONFIGMAPS, {"metadata": {"name": "room-again"}})

    assert again == stored
    assert written.code == 201


def test_a_taken_port_is_said_in_a_sentence(machine: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", machine.port))
        taken.listen()

        with pytest.raises(StartFailed, match=rf"127\.0\.0\.1:{machine.port} cannot be listened on: .*another port\."):
            machine.start().wait_until(lambda: False)


def test_a_folder_in_use_is_said_in_a_sentence(machine: Machine) -> None:
    machine.run()
    (port,) = free_ports(1)
    second = machine.process(port)

    with pytest.raises(StartFailed, match="is in use by another server"):
        second.wait_until(lambda: False)


def test_a_broken_file_is_said_in_a_sentence(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "objects.sqlite").write_bytes(b"no database" * 1000)

    with pytest.raises(StartFailed, match="is not a readable database"):
        machine.start().wait_until(lambda: False)


async def test_a_copy_of_the_file_is_a_backup(machine: Machine, tmp_path: Path) -> None:
    machine.run()
    async with machine.caller() as http:
        (await http.post(CONFIGMAPS, {"metadata": {"name": "kept"}, "data": {"k": "v"}})).ok  # noqa: B018 asserts success
        source = sqlite3.connect(tmp_path / "data" / "objects.sqlite")
        with contextlib.closing(source), contextlib.closing(sqlite3.connect(tmp_path / "backup.sqlite")) as backup:
            source.backup(backup)
        (await http.delete(f"{CONFIGMAPS}/kept")).ok  # noqa: B018 as above
    machine.kill()
    for leftover in (tmp_path / "data").glob("objects.sqlite*"):
        leftover.unlink()
    (tmp_path / "backup.sqlite").rename(tmp_path / "data" / "objects.sqlite")
    machine.run()

    async with machine.caller() as http:
        assert (await http.get(f"{CONFIGMAPS}/kept")).ok["data"] == {"k": "v"}
