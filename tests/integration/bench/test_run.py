"""`python -m bench` from its command line to its file, small, on the embedded server: what it counts, not how fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from bench.rows import Run
from tests.controller_process import compiled_once
from tools.test_tools import ROOT

PATIENCE = 240


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


def bench(scenario: str, results: Path) -> Run:
    """What a run of that scenario says."""
    command = [sys.executable, "-m", "bench", "--quick", "--server", "embedded", f"--results={results}", "-o", "json"]
    answer = subprocess.run(
        [*command, "--only", scenario],
        cwd=ROOT,
        env=compiled_once(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr.decode()
    return msgspec.json.decode(answer.stdout, type=Run)


@pytest.fixture(scope="module")
def run(results: Path) -> Run:
    return bench("ca-500", results)


def test_an_issuance_is_four_writes_and_an_event(run: Run) -> None:
    [row] = run.rows

    assert (row.scenario, row.server, row.who, row.count) == ("ca-500", "embedded", "certwright", 20)
    assert (row.writes_each, row.events_each) == (4, 1)
    assert row.met


@pytest.mark.long
def test_a_start_with_issued_certificates_writes_nothing(tmp_path: Path) -> None:
    [row] = bench("restart-4300", tmp_path).rows

    assert (row.scenario, row.count, row.writes_each, row.events_each) == ("restart-4300", 172, 0, 0)
    assert min(row.cpu_seconds or 0, row.rss or 0, row.seconds_until_quiet or 0) > 0


def test_what_was_measured_is_there(run: Run) -> None:
    [issued] = run.rows

    assert min(issued.per_second or 0, issued.p50 or 0, issued.p95 or 0, issued.cpu_ms_each or 0) > 0
    assert run.quick
    assert {"cores", "processor", "load before"} <= set(run.machine)
    assert {"certwright", "python", "kubernetes"} <= set(run.versions)


def test_the_file_holds_what_is_told(run: Run, results: Path) -> None:
    [path] = results.iterdir()

    assert path.name == f"{run.date.replace('-', '').replace(':', '').removesuffix('Z')}-quick.json"
    assert msgspec.json.decode(path.read_bytes(), type=Run) == run
