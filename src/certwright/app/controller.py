"""The controller process: watches always, works while it leads, and ends gracefully."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from certwright.app.memory import filling, settle
from certwright.app.options import ControllerOptions
from certwright.app.parts import Parts, build_parts
from certwright.app.running import all_of, end_task, run_process
from certwright.app.serving import ClockHealth, Endpoint, ServeError, health_page, metrics_page, start_listening
from certwright.clock import Clock, SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.connection import Connection, over_socket
from certwright.kube.client.errors import BadConnection
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.runtime.elector import Elector, ElectorOptions
from certwright.telemetry.logs import LogFormat
from certwright.version import VERSION

log = logging.getLogger(__name__)

USER_AGENT = f"certwright-controller/{VERSION} ({platform.system().lower()}/{platform.machine()})"


CANNOT_START = (ServeError, BadConnection)
"""What is told in its own words, for it says what to do."""


def run_controller(options: ControllerOptions, logging_format: LogFormat, verbosity: int) -> int:
    """`certwright controller`; the exit code."""
    return run_process(lambda: run_controllers(options, SystemClock()), logging_format, verbosity, CANNOT_START)


async def run_controllers(options: ControllerOptions, clock: Clock) -> None:
    """Until cancelled, or until leadership is lost."""
    async with controllers_running(options, clock) as ended:
        await ended


@asynccontextmanager
async def controllers_running(options: ControllerOptions, clock: Clock) -> AsyncIterator[asyncio.Task[None]]:
    """Everything runs inside; the task ends when leadership is lost, or fails with what went wrong."""
    async with AsyncExitStack() as stack:
        connection = _connection(options)
        client = KubeClient(connection, clock, _client_options(options))
        stack.push_async_callback(client.close)
        for name in options.settings.gates.idle:
            log.warning("this feature gate is known, but switching it changes nothing here", extra={"gate": name})
        parts = build_parts(options, connection, client, clock)
        for close in parts.closing:
            stack.push_async_callback(close)
        await start_listening(options.outside.http01_listen_address, parts.responder.start)
        stack.push_async_callback(parts.responder.stop)
        elector = _elector(options, client, clock)
        for endpoint in _endpoints(options, parts, clock, elector):
            await endpoint.start()
            stack.push_async_callback(endpoint.stop)
        watching = asyncio.create_task(all_of(*parts.watching))
        stack.push_async_callback(end_task, watching)
        stack.push_async_callback(parts.cluster.recorder.flush)
        working = asyncio.create_task(_work(parts, elector))
        stack.push_async_callback(end_task, working)
        yield asyncio.create_task(_first_to_end(watching, working))


async def _first_to_end(*tasks: asyncio.Task[None]) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task


async def _work(parts: Parts, elector: Elector | None) -> None:
    with filling():
        await parts.synced()
    settle()

    async def lead() -> None:
        log.info("controllers are running", extra={"certificates": len(parts.cluster.caches.certificates)})
        await all_of(*parts.controllers)

    await (elector.run(lead) if elector else lead())


def _connection(options: ControllerOptions) -> Connection:
    if options.socket is not None:
        return over_socket(options.socket)
    return find_connection(os.environ, str(options.kubeconfig or ""), options.context, options.master)


def _client_options(options: ControllerOptions) -> ClientOptions:
    return ClientOptions(user_agent=USER_AGENT, qps=options.kube_api_qps, burst=options.kube_api_burst)


def _elector(options: ControllerOptions, client: KubeClient, clock: Clock) -> Elector | None:
    election = options.leader_election
    if not election.enabled:
        return None
    identity = f"{socket.gethostname()}_{uuid.uuid4()}-external-cert-manager-controller"
    return Elector(
        client,
        clock,
        ElectorOptions(
            namespace=election.namespace,
            identity=identity,
            lease_duration=election.lease_duration,
            renew_deadline=election.renew_deadline,
            retry_period=election.retry_period,
        ),
    )


def _endpoints(options: ControllerOptions, parts: Parts, clock: Clock, elector: Elector | None) -> tuple[Endpoint, ...]:
    leadership = {"leaderElection": elector.health} if elector is not None else {}
    health = health_page({"clockHealth": ClockHealth(clock), **leadership})
    return (
        Endpoint(options.metrics_listen_address, {"/metrics": metrics_page(parts.metrics.collect)}),
        Endpoint(options.healthz_listen_address, {"/livez": health}),
    )
