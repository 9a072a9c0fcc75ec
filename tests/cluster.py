"""The `cluster` fixture: an API server, embedded or real, with a fresh namespace for each test."""

from __future__ import annotations

import os
import ssl
import subprocess
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pytest
import yaml
from tests import judges
from tests.kubernetes.audit import Write
from tests.kubernetes.authority import KeyPair
from tests.kubernetes.embedded import EmbeddedServer
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http
from tests.kubernetes.server import KubernetesServer
from tools.test_tools import ToolMissing

CRDS = Path(__file__).resolve().parent.parent / "deploy" / "crds"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Server(Protocol):
    """What the embedded and the real server have in common."""

    ca: Path

    @property
    def address(self) -> str:
        """`https://127.0.0.1:port`."""

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""

    def start(self) -> None:
        """Return when the API is served."""

    def stop(self) -> None:
        """Return when everything is gone."""

    def user(self, name: str, groups: Sequence[str] = ()) -> KeyPair:
        """A client certificate for that user."""

    def writes(self, user_agent_prefix: str) -> Counter[Write]:
        """Accepted writes of callers whose User-Agent starts so."""


@dataclass(frozen=True)
class ApiServerUnderTest:
    """One server for the whole test run, and what was installed on it."""

    server: Server
    kind: str
    installed: set[str] = field(default_factory=set)

    @cached_property
    def admin_trust(self) -> ssl.SSLContext:
        """TLS of the administrator, loaded once."""
        return self.trust("admin", ["system:masters"])

    def trust(self, user: str, groups: Sequence[str] = ()) -> ssl.SSLContext:
        """TLS with that user's certificate."""
        pair = self.server.user(user, groups)
        context = ssl.create_default_context(cafile=self.server.ca)
        context.load_cert_chain(pair.certificate, pair.key)
        return context

    def anonymous(self) -> ssl.SSLContext:
        """TLS without a client certificate."""
        return ssl.create_default_context(cafile=self.server.ca)


@dataclass(frozen=True)
class Cluster:
    """What a test gets: the server, an administrator's HTTP caller and a namespace that goes with the test."""

    api: ApiServerUnderTest
    http: Http
    namespace: str

    @property
    def server(self) -> Server:
        return self.api.server

    @property
    def kind(self) -> str:
        """`embedded` or `real`."""
        return self.api.kind

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""
        return self.server.kubeconfig

    def caller(self, user: str, groups: Sequence[str] = ()) -> Http:
        """An HTTP caller with a client certificate of that user; close it with `async with`."""
        return Http(self.server.address, self.api.trust(user, groups))

    def with_token(self, token: str) -> Http:
        """An HTTP caller with a bearer token and no certificate; without a token it is anonymous."""
        headers = {"Authorization": f"Bearer {token}"} if token else None
        return Http(self.server.address, self.api.anonymous(), headers)

    def kubectl(
        self, *args: str, stdin: str | None = None, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the test's namespace as administrator; the caller looks at the exit code."""
        command = [str(judges.require("kubectl")), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}"]
        return subprocess.run(
            [*command, *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "KUBECACHEDIR": str(self.kubeconfig.parent / "kubectl-cache"), **(environment or {})},
        )

    def writes(self, user_agent_prefix: str) -> Counter[Write]:
        """Accepted writes of callers whose User-Agent starts so, since the server started."""
        return self.server.writes(user_agent_prefix)

    async def install_crds(self, folder: Path = CRDS) -> None:
        """Apply all definitions of a folder once per server, and return when they are served."""
        if str(folder) not in self.api.installed:
            for definition in _definitions(folder):
                await self.install_crd(definition)
            self.api.installed.add(str(folder))

    async def install_crd(self, definition: dict[str, object]) -> None:
        """Apply one definition, and return when it is served."""
        metadata, spec = definition["metadata"], definition["spec"]
        assert isinstance(metadata, dict)
        assert isinstance(spec, dict)
        path = f"{DEFINITIONS}/{metadata['name']}"
        (await self.http.apply(path, definition, "test-rig", force="true")).ok  # noqa: B018 asserts success
        lists = [
            f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"
            for version in spec["versions"]
            if version["served"]
        ]

        async def established() -> bool:
            conditions = (await self.http.get(path)).ok.get("status", {}).get("conditions") or []
            return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

        async def listed() -> bool:
            # A real server says 404 or 429 for a moment after that.
            return all([(await self.http.get(each)).code == 200 for each in lists])

        await eventually(established)
        await eventually(listed)


def _definitions(folder: Path) -> list[dict[str, object]]:
    return [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))]


@pytest.fixture(scope="session")
def cluster_kind(request: pytest.FixtureRequest) -> str:
    """`embedded` or `real`, as `--cluster` says."""
    return str(request.config.getoption("--cluster"))


@pytest.fixture(scope="session")
def api_server(cluster_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServerUnderTest]:
    """The one server of this test process."""
    folder = tmp_path_factory.mktemp("api-server")
    try:
        server: Server = KubernetesServer(folder) if cluster_kind == "real" else EmbeddedServer(folder)
        server.start()
    except ToolMissing:
        judges.require("kubernetes")
        raise
    yield ApiServerUnderTest(server, cluster_kind)
    server.stop()


@pytest.fixture
async def cluster(api_server: ApiServerUnderTest) -> AsyncIterator[Cluster]:
    """The server with a namespace of the test's own, whose deletion begins when the test ends."""
    namespace = f"test-{uuid.uuid4().hex[:10]}"
    async with Http(api_server.server.address, api_server.admin_trust) as http:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        (await http.post("/api/v1/namespaces", body)).ok  # noqa: B018 asserts success
        yield Cluster(api_server, http, namespace)
        await http.delete(f"/api/v1/namespaces/{namespace}")
