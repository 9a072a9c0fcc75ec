"""The shape of the repository: sizes, depth, what rooms say of themselves, who imports whom, which words stay out."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ROOT / "src" / "certwright"
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
MOST_PARAMETERS = 5
DEEPEST = 3
# What is larger on purpose, with the reason. An entry that is no longer needed fails the test: the list stays short.
ON_PURPOSE = {
    "src/certwright/apiserver/auth/bootstrap.py::cluster_roles": "a table of Kubernetes' own roles, one line a role",
    "src/certwright/kube/runtime/recorder.py::record_once": "the words of an event, and what makes it the same event",
}
# A lock file names its sources, that is its format. Machines behind a mirror never fetch from there (tools/set_up.py).
LOCK_FILES = {"uv.lock": "its format holds the address of every file"}
# Words of the places where work was done. Written in pieces, so that this file holds none of them.
WORKPLACES = tuple(
    "".join(parts)
    for parts in (
        ("/ro", r"ot/\w"),
        ("/wo", r"rk/\w"),
        ("/ho", r"me/\w"),
        (r"\bpy", r"pi\.org"),
        ("python", r"hosted\.org"),
        (r"proxy\.go", r"lang\.org"),
        (r"\bhelper ", "session"),
        (r"\bthis ses", r"sion\b"),
    )
)
ENTRIES = {"__init__", "__main__"}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".go", ".mod", ".sum", ".txt", ".cfg", "", ".lock"}


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the repository; of an unpacked archive, all that lie there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())
    hidden = re.compile(r"/(\.(?!ci/)|__pycache__/|dist/|build/)")
    return tuple(path for path in ROOT.rglob("*") if path.is_file() and not hidden.search(f"/{path.relative_to(ROOT)}"))


def python_files(*folders: str) -> Iterator[tuple[str, Path]]:
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and name.startswith(folders):
            yield name, path


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(*folders: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, path in python_files(*folders):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}::{node.name}", node


def too_large() -> set[str]:
    files = {name for name, path in python_files("") if len(path.read_text().splitlines()) > LONGEST_FILE}
    lines = {name for name, node in functions("") if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION}
    many = {name for name, node in functions("src/", "tools/") if parameters(node) > MOST_PARAMETERS}
    return files | lines | many


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without self and cls, and without those that may only be named."""
    given = [one.arg for one in node.args.posonlyargs + node.args.args]
    return len(given) - (given[:1] in (["self"], ["cls"]))


def test_nothing_is_larger_than_it_may_be_save_on_purpose() -> None:
    assert too_large() == set(ON_PURPOSE), "split it, or shorten ON_PURPOSE"


def test_folders_are_not_deep() -> None:
    depths = {name: name.count("/") - 2 for name, _ in python_files("src/certwright/")}

    assert [name for name, depth in depths.items() if depth > DEEPEST] == []


def test_every_room_says_what_it_is_for_in_its_first_line() -> None:
    folders = {path.parent for _, path in python_files("src/certwright/")}
    silent = [str(one.relative_to(ROOT)) for one in folders if not says_its_purpose(one / "__init__.py")]

    assert silent == []


def says_its_purpose(path: Path) -> bool:
    first = path.read_text().partition("\n")[0] if path.exists() else ""
    return re.fullmatch(r'"""[A-Z].+\."""', first) is not None


def test_no_room_is_named_after_nothing() -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "handlers"}

    assert [name for name, path in python_files("src/") if vague & {path.stem, path.parent.name}] == []


def test_every_product_file_is_used() -> None:
    """By the product, a tool or a test; commands are found by their file's name."""
    used: set[str] = set()
    for _, path in python_files(""):
        used.update(imported_by(tree_of(path)))
    files = ((name, path) for name, path in python_files("src/") if not name.startswith("src/certwright/cli/"))
    there = {name for name, path in files if path.stem not in ENTRIES}

    lonely = {name for name in there if name.removeprefix("src/").removesuffix(".py").replace("/", ".") not in used}

    assert lonely == set()


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def test_unit_tests_lie_where_the_code_lies() -> None:
    rooms = {path.relative_to(PRODUCT) for path in PRODUCT.rglob("*") if path.is_dir()} | {Path(), Path("tools")}
    folders = {path.parent.relative_to(ROOT / "tests" / "unit") for _, path in python_files("tests/unit/")}

    assert folders - rooms == set()


def drawn_folders() -> dict[str, bool]:
    """The folders of the tree in ARCHITECTURE.md, and whether they are to come."""
    drawing = (ROOT / "ARCHITECTURE.md").read_text().split("```text\n")[1].partition("```")[0]
    found: dict[str, bool] = {}
    above = ""
    for line in drawing.splitlines():
        name, _, words = line.strip().partition("/ ") if "/ " in line else (line.strip().rstrip("/"), "", "")
        if not line.startswith(" "):
            above = name
        found[f"{above}/{name}" if line.startswith(" ") else name] = words.rstrip().endswith("(to come)")
    return found


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = drawn_folders()
    there = {path.relative_to(ROOT).parts for path in tracked()}
    folders = {parts[0] for parts in there if len(parts) > 1}
    for room in ("src/certwright", "tests"):
        depth = room.count("/") + 2
        inside = {parts for parts in there if "/".join(parts).startswith(f"{room}/") and len(parts) > depth}
        folders |= {"/".join(parts[:depth]) for parts in inside}
    folders = (folders - {"src"}) | {"src/certwright"}

    assert folders - drawn.keys() == set(), "ARCHITECTURE.md does not show these"
    assert {name for name, to_come in drawn.items() if not to_come} - folders == set(), "ARCHITECTURE.md shows too much"


def test_imports_keep_their_directions() -> None:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_logo=True))"
    command = [sys.executable, "-c", program]

    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]


@pytest.mark.parametrize("word", WORKPLACES)
def test_no_word_of_a_workplace_is_in_the_repository(word: str) -> None:
    pattern = re.compile(word, re.IGNORECASE)
    texts = [path for path in tracked() if path.suffix in TEXT and path.name not in LOCK_FILES]

    assert [str(path.relative_to(ROOT)) for path in texts if pattern.search(path.read_text(errors="replace"))] == []
