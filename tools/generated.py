"""Writing generated files, or saying that they are out of date."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_or_check(wanted: Mapping[Path, str], *, check: bool) -> int:
    """0 where every file holds its text, or was written; 1 where `check` finds a difference."""
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.name} is out of date; run `make gen`.")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
    return 1 if check and stale else 0
