"""`certwright demo`: its exit code says that every check in it held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.controller_process import compiled_once


def test_every_check_of_the_demo_holds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "certwright", "demo", f"--data-dir={tmp_path / 'data'}"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=compiled_once())

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every check held" in done.stdout
    assert "✗" not in done.stdout
    assert not done.stderr
