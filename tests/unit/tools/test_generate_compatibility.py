"""The page of compatibility says what the ledger says."""

from __future__ import annotations

import msgspec
import pytest
from tools.generate_compatibility import Checklist, Row, page

DONE = Row(id="1", section="Names", text="Kinds have their names", state="done", tests=("tests/test_a.py::test_a",))
OPEN = Row(id="2", section="Flow", text="It flows", state="open")
DIFFERENT = Row(id="3", section="Flow", text="a | b", state="different", reason="One write instead of two.")


def test_sections_follow_the_rows_and_states_are_counted() -> None:
    text = page(Checklist(row=(DONE, OPEN, DIFFERENT)))

    assert "Of 3 rows: 1 done, 1 different, 1 open." in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## Names", "## Flow"]
    assert "| 1 | Kinds have their names | done | 1 |" in text
    assert "| 2 | It flows | open |  |" in text


def test_what_is_different_says_why_and_cannot_break_the_table() -> None:
    assert "| 3 | a \\| b. One write instead of two. | different |  |" in page(Checklist(row=(DIFFERENT,)))


def test_quirks_have_a_section_once_there_are_some() -> None:
    assert "## Quirks" not in page(Checklist(row=(DONE,)))
    lines = page(Checklist(row=(DONE,), quirk=(DIFFERENT, DONE))).splitlines()
    assert [line for line in lines if line.startswith("#")][2:] == ["## Quirks", "### Flow", "### Names"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "1", "section": "a", "text": "b", "state": "nearly"},
        {"id": "1", "section": "a", "text": "b", "state": "done", "test": ["x"]},
        {"id": "1", "section": "a", "state": "done"},
    ],
)
def test_a_misspelled_row_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"row": [row]}, Checklist)
