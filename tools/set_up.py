"""Makes `.venv` ready for every verb of the Makefile; needs Python 3.11 or later and a package registry, nothing else.

The locked versions are installed by their hashes from whatever index this machine's pip or uv is configured for: a lock
file names files at their first source, and a machine behind a mirror would not reach those.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

LEAST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / "bin" / "python"
UV = HOME / "bin" / "uv"
STAMP = HOME / ".ready"
UV_WANTED = "uv>=0.9,<1"


class NotReady(Exception):
    """What is missing, and what to do about it."""


def check_version(version: tuple[int, int], executable: str) -> None:
    """Refuse a Python that is too old."""
    if version < LEAST:
        found = ".".join(map(str, version))
        raise NotReady(
            f"{executable} is Python {found}; Certwright needs {LEAST[0]}.{LEAST[1]} or later. "
            "Install one and name it, for example: make PYTHON=python3.12 test"
        )


def make_environment() -> None:
    """A virtual environment with pip and uv in it, also where another tool made it without."""
    if not PYTHON.exists():
        try:
            import ensurepip  # noqa: F401
        except ImportError as absent:
            raise NotReady(
                "this Python comes without ensurepip. On Debian and Ubuntu: apt-get install python3-venv"
            ) from absent
        venv.create(HOME, with_pip=True)
    if not (HOME / "bin" / "pip").exists():
        run([str(PYTHON), "-m", "ensurepip"], dict(os.environ))
    if not UV.exists():
        run([str(PYTHON), "-m", "pip", "install", "--quiet", UV_WANTED], dict(os.environ))


def environment(python: Path = PYTHON) -> dict[str, str]:
    """The environment for uv: what pip is configured for holds for uv too, unless uv has settings of its own."""
    given = dict(os.environ)
    own = {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & given.keys()
    index = pip_setting("index-url", python)
    if index and not own:
        given["UV_DEFAULT_INDEX"] = index
    certificates = pip_setting("cert", python)
    if certificates:
        given.setdefault("SSL_CERT_FILE", certificates)
    return given


def pip_setting(name: str, python: Path) -> str:
    """One setting of pip from its files or environment; empty where it has none."""
    answer = subprocess.run([str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    values = dict(line.partition("=")[::2] for line in answer.stdout.splitlines())
    for scope in (":env:", "install", "global"):
        value = values.get(f"{scope}.{name}", "").strip("'\"")
        if value:
            return value
    return ""


def install(given: dict[str, str]) -> None:
    """The locked packages by hash, then the product itself as it lies here."""
    with tempfile.TemporaryDirectory() as folder:
        locked = Path(folder) / "locked.txt"
        run([str(UV), "export", "--quiet", "--frozen", "--no-emit-project", "--output-file", str(locked)], given)
        run([*UV_INSTALL, "--require-hashes", "-r", str(locked)], given)
    run([*UV_INSTALL, "--no-deps", "-e", str(ROOT)], given)


UV_INSTALL = [str(UV), "pip", "install", "--quiet", "--python", str(PYTHON)]


def run(command: list[str], given: dict[str, str]) -> None:
    """Run in the root of the repository; its output is the user's."""
    answer = subprocess.run(command, cwd=ROOT, env=given, check=False)
    if answer.returncode != 0:
        raise NotReady(
            f"`{' '.join(command[:4])} …` failed. Is a package registry in reach? pip's and uv's own settings "
            "(index-url, UV_DEFAULT_INDEX) are honoured. Then try again."
        )


def main() -> int:
    """0 where `.venv` is ready."""
    try:
        check_version(sys.version_info[:2], sys.executable)
        print("Setting up .venv with the locked packages (once) …", file=sys.stderr)
        make_environment()
        install(environment())
    except NotReady as problem:
        print(f"Not ready: {problem}", file=sys.stderr)
        return 1
    STAMP.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
