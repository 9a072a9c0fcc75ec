"""The order of API versions: what a client should use comes first."""

from __future__ import annotations


def version_order(version: str) -> tuple[int, int, int, str]:
    """A sort key: GA before beta before alpha, newer first, other names last."""
    stages = {"": 0, "beta": 1, "alpha": 2}
    major, stage, minor = _split(version)
    if stage is None:
        return (3, 0, 0, version)
    return (stages[stage], -major, -minor, version)


def _split(version: str) -> tuple[int, str | None, int]:
    for stage in ("alpha", "beta"):
        head, found, tail = version[1:].partition(stage)
        if version.startswith("v") and found and head.isdigit() and (tail.isdigit() or not tail):
            return int(head), stage, int(tail or 0)
    if version.startswith("v") and version[1:].isdigit():
        return int(version[1:]), "", 0
    return 0, None, 0
