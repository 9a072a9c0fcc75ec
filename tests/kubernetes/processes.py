"""Child processes of the test rig: started with a log, watched until ready, and gone when `stop` returns."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

STEP = 0.05
PATIENCE = 1200
GRACE = 10.0
LAST_LINES = 15


class StartFailed(Exception):
    """A process ended early or did not get ready; the text holds the end of its log."""


class Process:
    """One child process whose output goes to a file."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        # A test run that is killed takes its children with it.
        tether = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                [*tether, *command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
            )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def wait_until(self, ready: Callable[[], bool], steps: int = PATIENCE) -> None:
        """Ask again and again until `ready`; raises StartFailed where the process ends, or after a minute."""
        for _ in range(steps):
            if ready():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(STEP)
                raise StartFailed(f"{self.name} ended with code {self._child.returncode}:\n{self._end_of_log()}")
        raise StartFailed(f"{self.name} does not get ready:\n{self._end_of_log()}")

    def stop(self) -> None:
        """End it and wait until it is gone."""
        self._child.terminate()
        try:
            self._child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def kill(self) -> None:
        """End it at once, without a chance to tidy up, and wait until it is gone."""
        self._child.kill()
        self._child.wait()

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])


# Below those that the system gives to whoever asks for any port (from 32768 on Linux): such a server cannot have taken
# one of them by the time that it is used.
_PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listened on a moment ago."""
    found: list[int] = []
    chance = random.SystemRandom()  # its numbers are never those of another test process
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            port, one = chance.choice(_PORTS), stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
    return found


def listens(port: int) -> bool:
    """Whether something accepts connections on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
