"""Which programs judge our work on this machine: a test that needs an absent one is skipped, and the run says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest
from tools import test_tools

ABSENT = "judge absent: "
QUICK = {"pebble", "go-pkcs12", "circl"}
# Programs whose name differs from the judge's, best first.
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "bind9": ("named",),
    "kubernetes": ("kube-apiserver",),
}
FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")


def require(judge: str) -> Path:
    """The program of that judge, built first where we can; skips (or fails, where judges are required) without it."""
    try:
        found = _find(judge) or _build(judge)
    except test_tools.ToolMissing as missing:
        _give_up(f"{judge} ({missing})")
    if found is None:
        _give_up(judge)
    return found


def absent_in(reasons: Iterable[str]) -> list[str]:
    """The judges that skip reasons name, sorted."""
    named = (reason.partition(ABSENT)[2].split()[0].rstrip("')") for reason in reasons if ABSENT in reason)
    return sorted(set(named))


def _find(judge: str) -> Path | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    for program in PROGRAMS.get(judge, (judge,)):
        found = test_tools.find(program) or shutil.which(program, path=path)
        if found:
            return Path(found)
    return None


def _build(judge: str) -> Path | None:
    """Built where that is a matter of a minute, or where judges are required: a control plane takes many."""
    for name, tool in test_tools.TOOLS.items():
        if name not in QUICK and not _are_required():
            continue
        for program in PROGRAMS.get(judge, (judge,)):
            if program in tool.programs:
                return test_tools.build(name) / program
    return None


def _are_required() -> bool:
    return os.environ.get("CERTWRIGHT_REQUIRE_JUDGES") == "1"


def _give_up(judge: str) -> NoReturn:
    if _are_required():
        pytest.fail(ABSENT + judge)
    pytest.skip(ABSENT + judge)
