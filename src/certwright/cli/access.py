"""How a short command reaches the API server, and how its errors become a sentence and an exit code."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from certwright.clock import SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.wire.status import ApiError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def access_flags(command: F) -> F:
    """`--kubeconfig`, `--context` and `-n`."""
    command = click.option("-n", "--namespace", default="", help="Namespace; that of the context by default.")(command)
    command = click.option("--context", default="", help="Context of the kubeconfig.")(command)
    return click.option("--kubeconfig", type=click.Path(path_type=Path), help="Path of the kubeconfig.")(command)


def with_client(kubeconfig: Path | None, context: str, work: Callable[[KubeClient, Connection], Awaitable[T]]) -> T:
    """What `work` comes to; a refusal of the API server, or none to be reached, ends the command with exit code 1."""
    try:
        connection = find_connection(os.environ, str(kubeconfig or ""), context)
        return asyncio.run(_work(connection, work))
    except (ApiError, Unreachable, BadConnection) as error:
        raise click.ClickException(str(error)) from error


async def _work(connection: Connection, work: Callable[[KubeClient, Connection], Awaitable[T]]) -> T:
    client = KubeClient(connection, SystemClock(), ClientOptions(user_agent="certwright-cli"))
    try:
        return await work(client, connection)
    finally:
        await client.close()
