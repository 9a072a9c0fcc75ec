"""Generated files are written where they are missing or stale, and in a check only named."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.generated import write_or_check


def test_a_missing_file_is_written_with_its_folder(tmp_path: Path) -> None:
    page = tmp_path / "reference" / "issuer.md"

    assert write_or_check({page: "text"}, check=False) == 0

    assert page.read_text() == "text"


def test_a_check_names_what_is_stale_and_leaves_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "issuer.md"
    page.write_text("old")

    assert write_or_check({page: "new"}, check=True) == 1

    assert page.read_text() == "old"
    assert "issuer.md is out of date; run `make gen`." in capsys.readouterr().out


def test_a_check_is_content_with_what_is_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "issuer.md"
    page.write_text("text")

    assert write_or_check({page: "text"}, check=True) == 0


def test_what_is_up_to_date_is_not_touched(tmp_path: Path) -> None:
    page = tmp_path / "issuer.md"
    page.write_text("text")
    page.chmod(0o400)
    before = page.stat().st_mtime_ns

    write_or_check({page: "text"}, check=False)

    assert page.stat().st_mtime_ns == before
