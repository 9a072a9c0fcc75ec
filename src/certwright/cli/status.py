"""`certwright status`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from certwright.cli.access import access_flags, with_client
from certwright.cli.status_text import story_json, story_text
from certwright.cli.story import Story, read_story
from certwright.clock import SystemClock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.wire.keys import ObjectKey

EPILOG = """\b
Examples:
  certwright status certificate web -n shop
  certwright status certificate web -o json
"""


@click.group()
def command() -> None:
    """Say where an object stands and why."""


@command.command(epilog=EPILOG)
@click.argument("name")
@access_flags
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def certificate(name: str, kubeconfig: Path | None, context: str, namespace: str, output: str) -> None:
    """A Certificate with its issuer, Secret, CertificateRequest, Order and Challenges."""

    async def read(client: KubeClient, connection: Connection) -> Story:
        return await read_story(client, ObjectKey(namespace or connection.namespace or "default", name))

    story = with_client(kubeconfig, context, read)
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(story_json(story))).decode())
    else:
        click.echo(story_text(story, SystemClock().now()), nl=False)
