"""The webhook process: answers the API server's questions of admission over TLS."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from msgspec import Struct

from certwright.app.controller import CANNOT_START
from certwright.app.running import end_task, run_process
from certwright.app.serving import Endpoint, health_page, metrics_page, start_listening
from certwright.clock import Clock, SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.gates import Gates
from certwright.telemetry.logs import LogFormat
from certwright.version import VERSION
from certwright.webhook.admission import Admission
from certwright.webhook.approval import Approvals
from certwright.webhook.asking import AccessReviews, DiscoveredSigners
from certwright.webhook.server import AdmissionServer
from certwright.webhook.serving.authority import AuthoritySecret
from certwright.webhook.serving.callers import Callers
from certwright.webhook.serving.keeper import ServingCertificate
from certwright.webhook.serving.self_made import LEAF_LIFETIME, SelfMade
from certwright.webhook.serving.source import CertificateFiles, Source
from certwright.webhook.serving.tls import server_context

log = logging.getLogger(__name__)

USER_AGENT = f"certwright-webhook/{VERSION} ({platform.system().lower()}/{platform.machine()})"


class FromFiles(Struct, frozen=True):
    """The serving certificate is somebody else's task."""

    certificate: Path
    key: Path


class FromOwnCA(Struct, frozen=True):
    """The serving certificate is signed here, by a CA in a Secret."""

    secret: ObjectKey
    names: tuple[str, ...]
    lifetime: timedelta = LEAF_LIFETIME


class WebhookOptions(Struct, frozen=True, kw_only=True):
    """One webhook process."""

    serving: FromFiles | FromOwnCA
    kubeconfig: Path | None = None
    api_server_host: str = ""
    bind_address: str = "0.0.0.0"  # noqa: S104 - the API server comes from outside the Pod
    secure_port: int = 6443
    healthz_port: int = 6080
    metrics_listen_address: str = "0.0.0.0:9402"
    client_ca: Path | None = None
    """Where given, clients must show a certificate of it."""
    client_names: frozenset[str] = frozenset()
    tls_min_version: str = "VersionTLS12"
    tls_cipher_suites: tuple[str, ...] = ()
    gates: Gates = Gates()


class Running(Struct, frozen=True):
    """Where it listens."""

    port: int
    healthz_port: int
    metrics_port: int


def run_webhook(options: WebhookOptions, logging_format: LogFormat, verbosity: int) -> int:
    """`certwright webhook`; the exit code."""

    async def main() -> None:
        async with webhook_running(options, SystemClock()):
            await asyncio.get_running_loop().create_future()

    return run_process(main, logging_format, verbosity, CANNOT_START)


def build_admission(client: KubeClient, clock: Clock, gates: Gates) -> Admission:
    """Who answers, asking the API server itself for kinds and permissions."""
    return Admission(Approvals(DiscoveredSigners(client, clock), AccessReviews(client, clock)), gates)


@asynccontextmanager
async def webhook_running(options: WebhookOptions, clock: Clock) -> AsyncIterator[Running]:
    """Everything runs inside."""
    async with AsyncExitStack() as stack:
        connection = find_connection(os.environ, str(options.kubeconfig or ""), "", options.api_server_host)
        client = KubeClient(connection, clock, ClientOptions(user_agent=USER_AGENT))
        stack.push_async_callback(client.close)
        context = server_context(options.tls_min_version, options.tls_cipher_suites)
        callers = Callers(options.client_ca, options.client_names)
        certificate = ServingCertificate(context, _source(options.serving, client, clock), callers, clock)
        server = AdmissionServer(build_admission(client, clock, options.gates), context, callers)
        address = f"{options.bind_address}:{options.secure_port}"
        await start_listening(address, partial(server.start, options.bind_address, options.secure_port))
        stack.push_async_callback(server.stop)
        health, metrics = _endpoints(options, certificate)
        for endpoint in (health, metrics):
            await endpoint.start()
            stack.push_async_callback(endpoint.stop)
        keeping = asyncio.create_task(certificate.run())
        stack.push_async_callback(end_task, keeping)
        log.info("webhook is running", extra={"port": server.port})
        yield Running(server.port, health.port, metrics.port)


def _source(serving: FromFiles | FromOwnCA, client: KubeClient, clock: Clock) -> Source:
    match serving:
        case FromFiles(certificate, key):
            return CertificateFiles(certificate, key)
        case FromOwnCA(secret, names, lifetime):
            return SelfMade(AuthoritySecret(client, clock, secret), clock, names, lifetime)


def _endpoints(options: WebhookOptions, certificate: ServingCertificate) -> tuple[Endpoint, Endpoint]:
    pages = {
        "/healthz": health_page({"servingCertificate": certificate.health}, "healthz"),
        "/livez": health_page({}),
    }
    return (
        Endpoint(f"{options.bind_address}:{options.healthz_port}", pages),
        Endpoint(options.metrics_listen_address, {"/metrics": metrics_page()}),
    )
