"""The controllers as the controller process wires them, beside a CA that cannot be reached, and what they write."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.takeover.golden import RESOURCES, Plain
from tests.integration.wiring import background
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import free_ports

from certwright.api import kinds
from certwright.api.core_kinds import EVENT
from certwright.api.resource import Resource
from certwright.app.options import ControllerOptions, Outside
from certwright.app.parts import Parts, build_parts
from certwright.clock import Clock
from certwright.cluster.settings import Settings
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.telemetry.metrics import Metrics

SERVED = tuple(
    kind.resource
    for kind in (
        kinds.LEGACY_CERTIFICATE,
        kinds.LEGACY_ISSUER,
        kinds.LEGACY_CLUSTER_ISSUER,
        kinds.CERTIFICATE,
        kinds.CERTIFICATE_REQUEST,
        kinds.ORDER,
        kinds.CHALLENGE,
        kinds.ISSUER,
        kinds.CLUSTER_ISSUER,
    )
)
THEN = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
# So often nothing may have changed before it is called quiet; `eventually` looks 40 times a second.
CALM_LOOKS = 20
PASSES = "certmanager_controller_sync_call_count_total"
ASKED = "certmanager_http_acme_client_request_count_total"


@dataclass
class Run:
    """Controllers at work."""

    cluster: Cluster
    clock: Clock
    agent: str
    parts: Parts
    _seen: list[object] = field(default_factory=list)

    async def quiet(self) -> None:
        """Return when no pass is made and nothing is written any more."""
        await self.parts.cluster.recorder.flush()
        self._seen.clear()
        await eventually(self._is_quiet)

    async def run_for(self, by: timedelta, step: timedelta = timedelta(seconds=30)) -> None:
        """Time passes, in steps after each of which everything has come to rest."""
        assert isinstance(self.clock, MovableClock), "this clock moves by itself"
        await self.quiet()
        for _ in range(by // step):
            await self.clock.run_for(step)
            await self.quiet()

    @property
    def writes(self) -> Counter[Write]:
        """What these controllers wrote."""
        return self.cluster.writes(self.agent)

    def passes(self, controller: str) -> int:
        """How many passes a loop has made."""
        return int(count(self.parts.metrics, PASSES, controller=controller))

    @property
    def asked(self) -> int:
        """How often the CA was asked."""
        return int(count(self.parts.metrics, ASKED))

    async def _is_quiet(self) -> bool:
        now = (self.writes, _passes(self.parts.metrics))
        if self._seen and self._seen[-1] != now:
            self._seen.clear()
        self._seen.append(now)
        return len(self._seen) >= CALM_LOOKS


@asynccontextmanager
async def certwright(
    cluster: Cluster, clock: Clock | None = None, outside: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Run]:
    """The controllers at work in all namespaces until the block ends; `outside` says what can be reached."""
    clock = clock or MovableClock(THEN)
    agent = f"takeover/{cluster.namespace}/{id(clock)}"
    options = _options(cluster, outside or nowhere(), settings)
    async with AsyncExitStack() as stack:
        connection = find_connection({}, str(cluster.kubeconfig))
        client = KubeClient(connection, clock, ClientOptions(user_agent=agent))
        stack.push_async_callback(client.close)
        parts = build_parts(options, connection, client, clock)
        for close in parts.closing:
            stack.push_async_callback(close)
        await parts.responder.start()
        stack.push_async_callback(parts.responder.stop)
        await stack.enter_async_context(background(*(part() for part in parts.watching)))
        await _synced(parts, clock)
        await stack.enter_async_context(background(*(part() for part in parts.controllers)))
        yield Run(cluster, clock, agent, parts)


async def _synced(parts: Parts, clock: Clock) -> None:
    """A list that is refused, as of definitions that were served a moment ago only, is tried again by the clock."""
    done = asyncio.ensure_future(parts.synced())

    async def look() -> bool:
        if not done.done() and isinstance(clock, MovableClock):
            clock.advance(timedelta(milliseconds=25))
        return done.done()

    await eventually(look)
    await done


def nowhere() -> Mapping[str, Any]:
    """Neither the CA nor any nameserver is there."""
    [closed] = free_ports(1)
    gone = f"127.0.0.1:{closed}"
    return {
        "connect_to": {"localhost:14000": gone, "localhost:14999": gone},
        "recursive_nameservers": (gone,),
        "recursive_nameservers_only": True,
        # Not a loopback address: the responder is to be led to, as in a cluster.
        "http01_addresses": ("192.0.2.10",),
    }


async def clear(cluster: Cluster) -> None:
    """Whatever other tests have left of what the controllers would look at, in all namespaces."""
    for resource in SERVED:
        # A definition counts as established a moment before its objects are served.
        for each in await eventually(partial(_listed, cluster, resource)):
            metadata = each["metadata"]
            path = resource.path(metadata.get("namespace", ""), metadata["name"])
            if metadata.get("finalizers"):
                await cluster.http.patch(path, {"metadata": {"finalizers": None}})
            await cluster.http.delete(path)

    async def gone() -> bool:
        left = [await _listed(cluster, resource) for resource in SERVED]
        return not any(left)

    await eventually(gone)


async def _listed(cluster: Cluster, resource: Resource) -> list[Plain] | None:
    answer = await cluster.http.get(resource.path())
    return answer.ok["items"] if answer.code == 200 else None


async def everything(cluster: Cluster) -> dict[str, Plain]:
    """All objects of the test, by kind and name."""
    found: dict[str, Plain] = {}
    for resource in RESOURCES.values():
        for each in (await cluster.http.get(resource.path(cluster.namespace))).ok["items"]:
            found[f"{resource.kind}/{each['metadata']['name']}"] = {**each, "kind": resource.kind}
    return found


async def events(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Object, type and reason of the events of the test's namespace, sorted."""
    found = (await cluster.http.get(EVENT.resource.path(cluster.namespace))).ok["items"]
    about = [(each["involvedObject"], each["type"], each["reason"]) for each in found]
    return sorted((f"{each['kind']}/{each['name']}", kind, reason) for each, kind, reason in about)


def differences(before: Mapping[str, Plain], after: Mapping[str, Plain]) -> dict[str, tuple[Any, Any]]:
    """Old and new value by `Kind/name field`, or by `Kind/name` where it is new or gone; versions and managers apart.

    Conditions are fields of their own, by type.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name in {*before, *after}:
        if name in before and name in after:
            found |= _differences(_plain(before[name]), _plain(after[name]), f"{name} ")
        else:
            found[name] = (before.get(name), after.get(name))
    return found


def _differences(old: Any, new: Any, path: str) -> dict[str, tuple[Any, Any]]:
    if old == new:
        return {}
    one, other = _fields(old), _fields(new)
    if one is None or other is None:
        return {path.removesuffix("."): (old, new)}
    found: dict[str, tuple[Any, Any]] = {}
    for name in {*one, *other}:
        found |= _differences(one.get(name), other.get(name), f"{path}{name}.")
    return found


def _fields(value: Any) -> Plain | None:
    """The value's parts that are compared one by one; None where it is compared as a whole."""
    if isinstance(value, list) and value and all(_is_condition(each) for each in value):
        return {each["type"]: each for each in value}
    return value if isinstance(value, dict) else None


def _is_condition(each: object) -> bool:
    return isinstance(each, dict) and "type" in each and "status" in each


def _plain(each: Plain) -> Plain:
    metadata = {name: v for name, v in each["metadata"].items() if name not in {"resourceVersion", "managedFields"}}
    return {**each, "metadata": metadata}


def count(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of a counter's series that bear those labels."""
    samples = (sample for metric in metrics.collect() for sample in metric.samples)
    return sum(
        sample.value
        for sample in samples
        if sample.name.startswith(name.removesuffix("_total")) and labels.items() <= sample.labels.items()
    )


def _passes(metrics: Metrics) -> float:
    return count(metrics, PASSES)


def _options(cluster: Cluster, outside: Mapping[str, Any], settings: Mapping[str, Any]) -> ControllerOptions:
    return ControllerOptions(
        settings=Settings(cluster_resource_namespace=cluster.namespace, **settings),
        outside=Outside(http01_listen_address="127.0.0.1:0", **outside),
    )
