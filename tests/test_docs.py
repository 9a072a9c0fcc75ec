"""What the pages say is there is there, and their examples are valid."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tools.generate_metrics import one_of_each

from certwright.api import core_kinds, kinds
from certwright.api.meta import to_json
from certwright.api.resource import Kind

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
WRITTEN = [page for page in PAGES if "docs/reference" not in page.as_posix()]
KINDS: dict[tuple[str, str], Kind[Any]] = {
    (f"{kind.resource.group}/{kind.resource.version}".lstrip("/"), kind.resource.kind): kind
    for room in (kinds, core_kinds)
    for kind in vars(room).values()
    if isinstance(kind, Kind)
}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LONGEST_LINE = 120


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> Iterator[str]:
    yield from (text for found, text in BLOCK.findall(page.read_text()) if found == language)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    inside = [link for link in LINK.findall(page.read_text()) if "://" not in link]

    assert [link for link in inside if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_verbs_that_are_named_exist(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", page.read_text(), re.MULTILINE)

    assert {one or other for one, other in named} - verbs == set()


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_paths_that_are_named_exist(page: Path) -> None:
    """Paths in back quotes that begin with a folder of the tree; those with a placeholder are left out."""
    named = set(re.findall(r"`((?:src|tests|docs|tools|deploy|changes)/[\w./-]+)`", page.read_text()))

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_python_examples_parse(page: Path) -> None:
    for text in blocks(page, "python"):
        ast.parse(f"async def example():\n{_indented(text)}")


def _indented(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_yaml_examples_are_objects_that_we_serve(page: Path) -> None:
    texts = [*blocks(page, "yaml"), *(here for text in blocks(page, "sh") for here in _here_documents(text))]
    for text in texts:
        for document in yaml.safe_load_all(text):
            kind = KINDS[document["apiVersion"], document["kind"]]

            understood = kind.read(msgspec.json.encode(document))

            assert list(_lost(document, to_json(understood), "")) == []


def _here_documents(text: str) -> list[str]:
    return re.findall(r"<<'YAML'\n(.*?)^YAML$", text, re.MULTILINE | re.DOTALL)


def _lost(before: object, after: object, path: str) -> Iterator[str]:
    """Fields that our Struct of the kind does not have."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from _lost(value, after[name], f"{path}.{name}")
            elif value not in ({}, [], "", None):
                yield f"{path}.{name}"
    if isinstance(before, list) and isinstance(after, list):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _lost(old, new, f"{path}[{number}]")


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_lines_can_be_read_in_a_terminal(page: Path) -> None:
    long = [line for line in page.read_text().splitlines() if len(line) > LONGEST_LINE and not line.startswith("|")]

    assert long == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_metrics_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"\bcertmanager_\w+", page.read_text()))

    assert named - {metric.name for metric in one_of_each()} == set()


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = LINK.findall((folder / "README.md").read_text())

    assert sorted(listed) == sorted(page.name for page in folder.glob("[0-9]*.md"))


@pytest.mark.parametrize("fragment", sorted((ROOT / "changes").glob("*.md")), ids=name_of)
def test_fragments_have_a_kind(fragment: Path) -> None:
    allowed = r"README\.md|(added|changed|fixed|removed|security)-[a-z0-9-]+\.md"

    assert re.fullmatch(allowed, fragment.name)


def test_the_style_guide_has_its_thirty_rules() -> None:
    numbers = re.findall(r"^(\d+)\. ", (ROOT / "docs" / "style.md").read_text(), re.MULTILINE)

    assert numbers == [str(number) for number in range(1, 31)]
