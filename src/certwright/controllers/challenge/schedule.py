"""Which Challenges are worked on: the oldest first, no more at once than allowed, none beside its double."""

from __future__ import annotations

import heapq
from collections import deque
from datetime import datetime
from typing import NamedTuple

from certwright.kube.wire.keys import ObjectKey


class Answer(NamedTuple):
    """What a Challenge puts in place. A wildcard and its base have two values under one name, side by side.

    Two Challenges with the very same answer (a CA gave one authorization to two orders) would take it from each other.
    """

    type: str
    dns_name: str
    key: str


class Candidate(NamedTuple):
    """A Challenge that wants to start."""

    created: datetime
    key: ObjectKey
    answer: Answer


class Schedule:
    """Knows who is active and who waits; tells who starts when a place becomes free."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._active: dict[ObjectKey, Answer] = {}
        self._taken: dict[Answer, set[ObjectKey]] = {}
        self._waiting: dict[ObjectKey, Candidate] = {}
        self._queue: list[Candidate] = []
        self._behind: dict[Answer, deque[Candidate]] = {}

    def is_active(self, key: ObjectKey) -> bool:
        """Whether the Challenge has a place."""
        return key in self._active

    def resume(self, candidate: Candidate) -> None:
        """The Challenge was being worked on before we knew of it: it has a place, even one too many."""
        self._waiting.pop(candidate.key, None)
        self._active.setdefault(candidate.key, candidate.answer)
        self._taken.setdefault(self._active[candidate.key], set()).add(candidate.key)

    def offer(self, candidate: Candidate) -> None:
        """The Challenge waits for a place; again changes nothing."""
        if candidate.key not in self._active and candidate.key not in self._waiting:
            self._waiting[candidate.key] = candidate
            heapq.heappush(self._queue, candidate)

    def leave(self, key: ObjectKey) -> None:
        """The Challenge needs no place any more."""
        self._waiting.pop(key, None)
        answer = self._active.pop(key, None)
        if answer is None:
            return
        self._taken[answer].discard(key)
        if not self._taken[answer]:
            del self._taken[answer]
            for candidate in self._behind.pop(answer, ()):
                heapq.heappush(self._queue, candidate)

    def start(self) -> list[ObjectKey]:
        """Those that have a place from now on."""
        started: list[ObjectKey] = []
        while self._queue and len(self._active) < self._most:
            candidate = heapq.heappop(self._queue)
            if self._waiting.get(candidate.key) != candidate:
                continue
            if candidate.answer in self._taken:
                self._behind.setdefault(candidate.answer, deque()).append(candidate)
                continue
            self.resume(candidate)
            started.append(candidate.key)
        return started

    @property
    def active(self) -> int:
        """How many have a place."""
        return len(self._active)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)
