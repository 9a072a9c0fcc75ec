"""Setting up refuses what cannot work, and takes pip's settings over for uv."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest
from tools import set_up


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has pip."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=True)
    return home / "bin" / "python"


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A configuration file that pip reads instead of this machine's."""
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\n")
    for name in ("PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    return settings


def test_an_old_python_is_refused_with_a_way_out() -> None:
    with pytest.raises(set_up.NotReady, match=r"is Python 3\.10; Certwright needs 3\.11 or later.*make PYTHON="):
        set_up.check_version((3, 10), "/usr/bin/python3")


def test_a_new_python_will_do() -> None:
    set_up.check_version((3, 11), "python3")
    set_up.check_version((4, 0), "python4")


def test_the_index_of_pip_is_the_index_of_uv(pip: Path, python: Path) -> None:
    pip.write_text("[global]\nindex-url = https://mirror.example.test/simple\ncert = /etc/mirror.pem\n")

    given = set_up.environment(python)

    assert given["UV_DEFAULT_INDEX"] == "https://mirror.example.test/simple"
    assert given["SSL_CERT_FILE"] == "/etc/mirror.pem"


def test_the_environment_beats_the_file(pip: Path, python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip.write_text("[global]\nindex-url = https://mirror.example.test/simple\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example.test/simple")

    assert set_up.environment(python)["UV_DEFAULT_INDEX"] == "https://other.example.test/simple"


def test_an_index_of_uv_stays(pip: Path, python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip.write_text("[global]\nindex-url = https://mirror.example.test/simple\n")
    monkeypatch.setenv("UV_INDEX_URL", "https://uv.example.test/simple")

    given = set_up.environment(python)

    assert "UV_DEFAULT_INDEX" not in given
    assert given["UV_INDEX_URL"] == "https://uv.example.test/simple"


def test_a_failing_step_is_named_with_what_to_look_at() -> None:
    with pytest.raises(set_up.NotReady, match="`false …` failed"):
        set_up.run(["false"], {"PATH": "/usr/bin:/bin"})
