"""Counters and summaries under exactly the names they are given."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Labels = tuple[str, ...]

QUANTILES = (0.5, 0.9, 0.99)
WINDOW = timedelta(minutes=10)
MOST_KEPT = 500


def empty_metric(name: str, words: str, kind: str) -> Metric:
    """A metric without samples; the library is loaded by the first scrape, not by every start."""
    from prometheus_client.metrics_core import Metric

    return Metric(name, words, kind)


class Counts:
    """A counter that appears with its first use, under exactly the name it is given."""

    def __init__(self, name: str, words: str, labels: Labels) -> None:
        self._name = name
        self._words = words
        self._labels = labels
        self._counts: dict[Labels, int] = {}

    def add(self, values: Labels) -> None:
        self._counts[values] = self._counts.get(values, 0) + 1

    def metric(self) -> Metric:
        metric = empty_metric(self._name, self._words, "counter")
        for values, count in self._counts.items():
            metric.add_sample(self._name, dict(zip(self._labels, values, strict=True)), count)
        return metric


class _Series:
    """The sum and count of all durations, and the latest ones for quantiles."""

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0
        self._latest: deque[tuple[datetime, float]] = deque(maxlen=MOST_KEPT)

    def add(self, seconds: float, now: datetime) -> None:
        self.total += seconds
        self.count += 1
        self._latest.append((now, seconds))

    def quantiles(self, now: datetime) -> Iterator[tuple[float, float]]:
        recent = sorted(seconds for at, seconds in self._latest if now - at <= WINDOW)
        for part in QUANTILES:
            yield part, recent[min(int(part * len(recent)), len(recent) - 1)] if recent else float("nan")


class Durations:
    """A summary over the last ten minutes, at most `MOST_KEPT` durations a series."""

    def __init__(self, name: str, words: str, labels: Labels) -> None:
        self._name = name
        self._words = words
        self._labels = labels
        self._series: dict[Labels, _Series] = {}

    def add(self, values: Labels, took: timedelta, now: datetime) -> None:
        self._series.setdefault(values, _Series()).add(took.total_seconds(), now)

    def metric(self, now: datetime) -> Metric:
        metric = empty_metric(self._name, self._words, "summary")
        for values, series in self._series.items():
            labels = dict(zip(self._labels, values, strict=True))
            for part, seconds in series.quantiles(now):
                metric.add_sample(self._name, {**labels, "quantile": str(part)}, seconds)
            metric.add_sample(f"{self._name}_sum", labels, series.total)
            metric.add_sample(f"{self._name}_count", labels, series.count)
        return metric
