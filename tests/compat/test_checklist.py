"""The ledger of compatibility is complete, and says only what tests prove."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tools import generate_compatibility as compatibility

ROOT = Path(__file__).resolve().parents[2]
CHECKLIST = compatibility.read_checklist()
ROWS = (*CHECKLIST.row, *CHECKLIST.quirk)
WANTED = [*(str(number) for number in range(1, 254)), *(f"L{number}" for number in range(1, 13))]


@cache
def named_in(path: str) -> frozenset[str]:
    """`test_x` and `TestY::test_x` of a file, read and not run; inherited tests of suites are named by their class."""
    found: set[str] = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found.add(node.name)
            inner = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found.update(f"{node.name}::{one.name}" for one in inner)
    return frozenset(name for name in found if name.rpartition("::")[2].startswith(("test_", "Test")))


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.id for row in CHECKLIST.row] == WANTED


def test_no_quirk_is_there_twice() -> None:
    ids = [row.id for row in CHECKLIST.quirk]

    assert len(ids) == len(set(ids))


def test_the_named_tests_exist() -> None:
    """A test is named as pytest does, without its parameters."""
    named = [(row.id, *test.partition("::")[::2]) for row in ROWS for test in row.tests]

    absent = [one for one in named if not (ROOT / one[1]).is_file() or one[2] not in named_in(one[1])]

    assert absent == []


def test_a_row_is_done_where_tests_prove_it() -> None:
    assert [row.id for row in ROWS if row.state == "done" and not row.tests] == []


def test_what_is_different_says_why_and_nothing_else_does() -> None:
    assert [row.id for row in ROWS if bool(row.reason) is not (row.state == "different")] == []


def test_the_page_is_up_to_date() -> None:
    assert compatibility.PAGE.read_text() == compatibility.page(CHECKLIST), "run `make gen`"


def test_only_tests_count_as_tests() -> None:
    names = named_in("tests/compat/test_checklist.py")

    assert "test_the_named_tests_exist" in names
    assert "named_in" not in names
