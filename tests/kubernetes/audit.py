"""Counts the writes that an API server's audit log tells of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    verbs: [create, update, patch, delete, deletecollection]
  - level: None
"""
REFUSED = 400


class Write(NamedTuple):
    """What was written: `create`, `secrets` or `certificates.cert-manager.io/status`."""

    verb: str
    resource: str


class _Reference(msgspec.Struct, frozen=True, rename="camel"):
    resource: str = ""
    api_group: str = ""
    subresource: str = ""


class _Response(msgspec.Struct, frozen=True):
    code: int = 0


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    verb: str
    stage: str = ""
    user_agent: str = ""
    object_ref: _Reference = _Reference()
    response_status: _Response = _Response()


def count_writes(log: Path, user_agent_prefix: str) -> Counter[Write]:
    """The accepted writes of callers whose User-Agent starts so, from the log's beginning."""
    return Counter(
        Write(event.verb, _resource(event.object_ref))
        for event in _events(log)
        if event.user_agent.startswith(user_agent_prefix) and event.response_status.code < REFUSED
    )


def count_refused(log: Path, user_agent_prefix: str) -> int:
    """The writes of such callers that were refused, as those of a stale view are."""
    return sum(
        event.user_agent.startswith(user_agent_prefix) and event.response_status.code >= REFUSED
        for event in _events(log)
    )


def _events(log: Path) -> Iterator[_Event]:
    decoder = msgspec.json.Decoder(_Event)
    with log.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def _resource(reference: _Reference) -> str:
    group = f".{reference.api_group}" if reference.api_group else ""
    below = f"/{reference.subresource}" if reference.subresource else ""
    return f"{reference.resource}{group}{below}"
