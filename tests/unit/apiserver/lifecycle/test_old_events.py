"""Events go when their hour is over, and when there are too many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.apiserver.parts import Parts, call

from certwright.apiserver.lifecycle import old_events
from certwright.apiserver.lifecycle.old_events import KEPT_FOR, OldEvents
from certwright.apiserver.verbs.create import create
from certwright.kube.wire.json import JSONObject


async def record(parts: Parts, name: str, **more: JSONObject | str) -> None:
    about: JSONObject = {"kind": "Pod", "name": "p", "namespace": "default"}
    event: JSONObject = {"metadata": {"name": name}, "involvedObject": about, "reason": "R", "message": "m", **more}
    await create(parts.api, call(parts.definition("", "events")), event)


def names(parts: Parts) -> list[str]:
    return [stored.key.name for stored in parts.api.store.list("events")]


async def test_an_event_goes_an_hour_after_it_was_last_seen(parts: Parts) -> None:
    old = OldEvents(parts.api)
    await record(parts, "once")
    parts.clock.advance(timedelta(minutes=30))
    await record(parts, "later")
    await record(parts, "series", series={"count": 2, "lastObservedTime": "2026-01-01T01:30:00.000000Z"})

    parts.clock.advance(KEPT_FOR - timedelta(minutes=29))
    old.sweep()
    first = names(parts)
    parts.clock.advance(timedelta(minutes=45))
    old.sweep()

    assert first == ["later", "series"]
    assert names(parts) == ["series"]


async def test_the_oldest_go_where_there_are_too_many(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_events, "MOST_EVENTS", 3)
    for number in range(5):
        await record(parts, f"e{number}")

    OldEvents(parts.api).sweep()

    assert names(parts) == ["e2", "e3", "e4"]


async def test_the_sweep_comes_by_itself(parts: Parts) -> None:
    old = OldEvents(parts.api)
    await record(parts, "once")
    old.start()

    await parts.clock.run_for(KEPT_FOR + timedelta(minutes=6))
    await old.worker.stop()

    assert names(parts) == []
