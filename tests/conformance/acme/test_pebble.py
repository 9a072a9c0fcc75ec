"""The suite against Pebble, Let's Encrypt's CA for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from tests import judges
from tests.conformance.acme.ca import BLOCKED, Ca, StartCa, Wish, free_port
from tests.conformance.acme.suite import AcmeSuite
from tests.servers.pebble import Pebble, PebbleOptions


class PebbleCa:
    def __init__(self, pebble: Pebble, http_port: int, alternate_roots: int) -> None:
        self.http_port = http_port
        self.directory = pebble.directory
        self.trust_pem = Path(pebble.ca).read_bytes()
        self._pebble = pebble
        self._roots = alternate_roots + 1

    def root_pems(self) -> list[bytes]:
        return [self._pebble.root(number) for number in range(self._roots)]

    def set_txt(self, name: str, value: str) -> None:
        self._pebble.dns.set_txt(f"{name}.", value)

    def clear_txt(self, name: str) -> None:
        self._pebble.dns.clear_txt(f"{name}.")

    def point_here(self, name: str) -> None:
        """Every name of this DNS is 127.0.0.1."""


class Pebbles:
    """Starts one Pebble for each wish, and keeps it for the tests that have the same wish."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._running: list[tuple[Wish, PebbleCa]] = []

    @asynccontextmanager
    async def start(self, wish: Wish) -> AsyncIterator[Ca]:
        found = next((ca for other, ca in self._running if other == wish), None)
        yield found or self._start(wish)

    def _start(self, wish: Wish) -> PebbleCa:
        folder, http_port = self._folder / str(len(self._running)), free_port()
        folder.mkdir()
        options = PebbleOptions(
            http_port=http_port,
            bad_nonces=wish.bad_nonces,
            authorizations_reused=wish.authorizations_reused,
            alternate_roots=wish.alternate_roots,
            external_accounts=wish.external_accounts,
            retry_after=wish.retry_after,
            blocked=(BLOCKED,),
        )
        pebble = Pebble(folder, options)
        pebble.start()
        self._stack.callback(pebble.stop)
        ca = PebbleCa(pebble, http_port, wish.alternate_roots)
        self._running.append((wish, ca))
        return ca


@pytest.fixture(scope="module")
def pebbles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebbles]:
    judges.require("pebble")
    with ExitStack() as stack:
        yield Pebbles(tmp_path_factory.mktemp("pebbles"), stack)


class TestPebble(AcmeSuite):
    lacks: ClassVar = {
        "test_a_change_to_another_accounts_key_is_refused": "Pebble 2.10 gives one key to two accounts without a word",
    }

    @pytest.fixture
    def start(self, pebbles: Pebbles) -> StartCa:
        return pebbles.start
