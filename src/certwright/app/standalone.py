"""No cluster needed: API server, controllers and a small ACME CA in one process, with its data in one folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from certwright.acme.server.options import AcmeServerOptions, OrderOptions, ValidationOptions
from certwright.acme.server.server import AcmeServer
from certwright.apiserver.options import ApiServerOptions
from certwright.apiserver.server import ApiServer
from certwright.app.admission import admission_hooks
from certwright.app.controller import controllers_running
from certwright.app.installing import install_definitions
from certwright.app.options import ControllerOptions, LeaderElection
from certwright.app.serving import start_listening
from certwright.app.webhook import build_admission
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import over_socket

API_PORT, ACME_PORT = 7443, 7444
ACME_ROOT = "acme-root.pem"


class StandaloneOptions(Struct, frozen=True, kw_only=True):
    """Everything lives in `data_dir`; nothing listens beyond loopback unless `host` says so."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = API_PORT
    authorization_mode: Literal["AlwaysAllow", "RBAC"] = "AlwaysAllow"
    durability: Literal["NORMAL", "FULL"] = "NORMAL"
    acme_port: int | None = ACME_PORT
    """None: no local CA."""
    acme_validation: ValidationOptions = ValidationOptions()
    acme_orders: OrderOptions = OrderOptions()
    acme_host_names: tuple[str, ...] = ()
    """Names of other CAs under which the local one answers: the controllers find it there, on port 443."""
    controller: ControllerOptions = msgspec.field(default_factory=ControllerOptions)


class Running(Struct, frozen=True):
    """What runs."""

    api_url: str
    kubeconfig: Path
    socket: Path
    acme_directory: str
    """Empty where there is no local CA."""
    acme_root: Path | None
    """PEM of the root that issued certificates lead to."""


@asynccontextmanager
async def standalone(options: StandaloneOptions, clock: Clock) -> AsyncIterator[Running]:
    """Run it all; `StartError` and `ServeError` say in a sentence why something cannot start."""
    async with AsyncExitStack() as stack:
        socket = options.data_dir / "api.sock"
        client = KubeClient(over_socket(socket), clock)
        stack.push_async_callback(client.close)
        admission = build_admission(client, clock, options.controller.settings.gates)
        server = ApiServer(_api_options(options, socket), clock, admission_hooks(admission, client))
        await server.start()
        stack.push_async_callback(server.stop)
        await install_definitions(client, clock)
        acme = await _local_ca(options, clock, stack)
        await stack.enter_async_context(controllers_running(_controller_options(options, socket, acme), clock))
        yield Running(
            server.url,
            server.kubeconfig_path,
            socket,
            acme.directory_url if acme else "",
            _write_root(options.data_dir, acme.root_pem) if acme else None,
        )


def _api_options(options: StandaloneOptions, socket: Path) -> ApiServerOptions:
    return ApiServerOptions(
        data_dir=options.data_dir,
        host=options.host,
        port=options.port,
        socket=socket,
        authorization_mode=options.authorization_mode,
        durability=options.durability,
    )


def _controller_options(options: StandaloneOptions, socket: Path, acme: AcmeServer | None) -> ControllerOptions:
    outside = options.controller.outside
    if acme is not None:
        names = {f"{name}:443": acme.address for name in options.acme_host_names}
        outside = msgspec.structs.replace(
            outside,
            trusted_ca_pem=outside.trusted_ca_pem + acme.endpoint_root_pem,
            connect_to={**names, **outside.connect_to},
        )
    return msgspec.structs.replace(
        options.controller, socket=socket, leader_election=LeaderElection(enabled=False), outside=outside
    )


async def _local_ca(options: StandaloneOptions, clock: Clock, stack: AsyncExitStack) -> AcmeServer | None:
    if options.acme_port is None:
        return None
    server = AcmeServer(
        AcmeServerOptions(
            host=options.host,
            port=options.acme_port,
            host_names=options.acme_host_names,
            state_file=options.data_dir / "acme.db",
            validation=options.acme_validation,
            orders=options.acme_orders,
        ),
        clock,
    )
    await start_listening(f"{options.host}:{options.acme_port}", server.start)
    stack.push_async_callback(server.stop)
    return server


def _write_root(folder: Path, pem: bytes) -> Path:
    path = folder / ACME_ROOT
    path.write_bytes(pem)
    return path


async def until_cancelled() -> None:
    """Never ends by itself."""
    await asyncio.get_running_loop().create_future()


def order_options(lifetime: timedelta | None) -> OrderOptions:
    """Those of a CA whose usual certificates live so long."""
    defaults = OrderOptions()
    if lifetime is None:
        return defaults
    profiles = dict(defaults.profiles)
    usual = next(iter(profiles))
    profiles[usual] = msgspec.structs.replace(profiles[usual], lifetime=lifetime)
    return msgspec.structs.replace(defaults, profiles=profiles)
