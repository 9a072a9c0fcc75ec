"""`certwright version`."""

from __future__ import annotations

import importlib.metadata
import platform

import click
import msgspec


def version() -> str:
    """The version of this installation."""
    return importlib.metadata.version("certwright")


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def command(output: str) -> None:
    """Print the version."""
    if output == "json":
        found = {"clientVersion": {"version": version(), "python": platform.python_version()}}
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(f"certwright {version()} (Python {platform.python_version()})")
