"""The embedded API server in a thread with an event loop of its own, so that blocking callers (kubectl) can use it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.kubernetes.audit import Write
from tests.kubernetes.authority import Authority, KeyPair

from certwright.apiserver.server import ApiServer, ApiServerOptions
from certwright.clock import SystemClock

T = TypeVar("T")
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


class EmbeddedServer:
    """Same shape as KubernetesServer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded-api-server", daemon=True)
        options = ApiServerOptions(data_dir=folder / "data", authorization_mode="RBAC")
        self._server = ApiServer(options, SystemClock())
        self._authority: Authority | None = None
        self._users: dict[str, KeyPair] = {}
        self.ca = folder / "ca.crt"

    @property
    def address(self) -> str:
        return self._server.url

    @property
    def kubeconfig(self) -> Path:
        return self._server.kubeconfig_path

    def start(self) -> None:
        """Return when the API is served."""
        self._thread.start()
        self._run(self._server.start())
        self._authority = Authority.of_file(self._folder, self._folder / "data" / "pki" / "ca.pem")

    def stop(self) -> None:
        """End the server, its loop and its thread."""
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def user(self, name: str, groups: Sequence[str] = ()) -> KeyPair:
        """A client certificate for that user."""
        assert self._authority is not None, "the server is not started"
        if name not in self._users:
            self._users[name] = self._authority.client(f"user-{name}", name, groups)
        return self._users[name]

    def writes(self, user_agent_prefix: str) -> Counter[Write]:
        """Writes of callers whose User-Agent starts so."""
        found: Counter[Write] = Counter()
        for (agent, verb, resource), count in dict(self._server.counts).items():  # a copy, since the server runs on
            if agent.startswith(user_agent_prefix) and verb in WRITES:
                found[Write(verb, resource)] += count
        return found

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
