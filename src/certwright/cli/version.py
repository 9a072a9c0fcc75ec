"""`certwright version`."""

from __future__ import annotations

import platform

import click
import msgspec

from certwright.version import VERSION


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def command(output: str) -> None:
    """Print the version."""
    if output == "json":
        found = {"clientVersion": {"version": VERSION, "python": platform.python_version()}}
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(f"certwright {VERSION} (Python {platform.python_version()})")
