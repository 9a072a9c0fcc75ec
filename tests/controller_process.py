"""The controller as users run it: a process of its own with flags, against any API server."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.kubernetes.processes import PATIENCE, Process
from tools.test_tools import cache_folder

USER_AGENT = "certwright-controller"


def compiled_once() -> dict[str, str]:
    """An environment in which Python keeps what it compiles, outside the tree, as it does for users."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache_folder().parent / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


class ControllerProcess:
    """`certwright controller` with a log in `folder`; metrics and health are switched off, as is leader election."""

    def __init__(self, folder: Path, kubeconfig: Path, flags: Sequence[str] = ()) -> None:
        self.log = folder / "controller.log"
        self._command = [
            *(sys.executable, "-m", "certwright", "controller"),
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--metrics-listen-address=0",
            "--internal-healthz-listen-address=0",
            "--http01-listen-address=127.0.0.1:0",
            "-v=4",
            *flags,
        ]
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None, "the controller is not started"
        return self._process.pid

    def start(self, steps: int = PATIENCE) -> None:
        """Return when the controllers run."""
        environment = {**compiled_once(), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error"}
        self._process = Process("certwright controller", self._command, self.log, environment)
        self._process.wait_until(lambda: b"controllers are running" in self.log.read_bytes(), steps)

    def stop(self) -> None:
        """Ask it to end, and wait until it is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None
