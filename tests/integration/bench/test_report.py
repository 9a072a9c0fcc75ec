"""How a run is told: aims, ratios to another controller, and what failed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bench.__main__ import main, rows_of
from bench.report import beside, table
from bench.rows import Aim, Row, Run
from bench.scenarios import Asked, Scenario, budget

OURS = Row(scenario="ca-500", server="real", who="certwright", count=500, per_second=60.0, p95=2.0, writes_each=4.0)
THEIRS = Row(scenario="ca-500", server="real", who="cert-manager", count=500, per_second=20.0, p95=10.0)


def told(*rows: Row) -> str:
    return table(
        Run(date="", machine={}, versions={}, quick=False, seconds=0, rows=list(rows), beside=beside(rows)),
    )


@pytest.mark.parametrize(
    ("aim", "met", "text"),
    [
        (Aim("RSS", 99.6, 100), True, "RSS ≤ 100"),
        (Aim("RSS", 100.5, 100), False, "RSS ≤ 100 (is 100.5)"),
        (Aim("share", 0.7, 0.65, least=True), True, "share ≥ 0.65"),
        (Aim("share", 0.5, 0.65, least=True), False, "share ≥ 0.65 (is 0.5)"),
    ],
)
def test_an_aim_says_what_is_missed(aim: Aim, met: bool, text: str) -> None:
    assert (aim.met, str(aim)) == (met, text)


def test_what_was_not_measured_is_no_aim_met() -> None:
    row = Row(scenario="ca-500", server="real", who="certwright", count=500)

    assert [aim.met for aim in budget(row)] == [False, False]


def test_ratios_are_ours_to_theirs_of_the_same_work() -> None:
    elsewhere = Row(scenario="ca-3000", server="real", who="certwright", count=3000, per_second=50.0)

    found = {ratio.what: (ratio.times, ratio.aim and ratio.aim.met) for ratio in beside([OURS, elsewhere, THEIRS])}

    assert found == {"rate": (3.0, False), "p95": (0.2, True)}


def test_every_row_of_the_table_is_aligned() -> None:
    heading, rule, ours, theirs = told(OURS, THEIRS).splitlines()[:4]

    assert heading.index("p95") + len("p95 s") == ours.index("  2  ") + 3
    assert {line.index("real") for line in (ours, theirs)} == {heading.index("server")}
    assert len(rule) >= len(ours)


def test_a_failure_is_a_row_after_what_was_measured() -> None:
    def rows(_: Asked) -> Iterator[Row]:
        yield OURS
        raise RuntimeError("the server is gone")

    measured, failed = rows_of(Scenario("ca-500", "some work", rows), Asked(["real"]))

    assert measured is OURS
    assert not failed.met
    assert "FAILED: RuntimeError: the server is gone" in told(failed)


def test_a_webhook_alone_is_no_peer(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--peer-webhook", "webhook"])

    assert "give both" in capsys.readouterr().err
