"""The text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LINES_A_CHUNK = 1000


def exposition(metrics: Iterable[Metric]) -> Iterator[bytes]:
    """The text format in chunks, so that a scrape of many objects can be sent without holding up everything else.

    The library's own writer appends `_total` to the name of every counter, which would rename ours.
    """
    lines: list[str] = []
    for metric in metrics:
        samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
        if not samples:
            continue
        name = samples[0].name if metric.type == "counter" else metric.name
        words = metric.documentation.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {name} {words}\n", f"# TYPE {name} {metric.type}\n"]
        for sample in samples:
            lines.append(_line(sample))
            if len(lines) >= LINES_A_CHUNK:
                yield "".join(lines).encode()
                lines.clear()
    yield "".join(lines).encode()


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(sample.labels.items()))
    series = f"{sample.name}{{{labels}}}" if labels else sample.name
    value = floatToGoString(sample.value)  # type: ignore[no-untyped-call] # the library leaves it untyped
    return f"{series} {value}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
