"""The group of commands; each is imported when it is called, so that `--help` stays quick."""

from __future__ import annotations

from importlib import import_module

import click

from certwright.app.memory import loading

COMMANDS = {
    "completion": "Print a shell's completion script.",
    "controller": "Run the controllers against a Kubernetes API server.",
    "demo": "Show the whole way of a certificate on this machine, without a cluster.",
    "run": "Run everything in one process: API server, controllers, local ACME CA.",
    "status": "Say where an object stands and why.",
    "version": "Print the version.",
    "webhook": "Answer an API server's questions of admission.",
}

EPILOG = """\b
Examples:
  certwright demo
  certwright run --data-dir ./certwright-data
  certwright controller --kubeconfig ~/.kube/config
  certwright status certificate web -n shop
"""


class LazyGroup(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  likewise
        if cmd_name not in COMMANDS:
            return None
        with loading():
            found = import_module(f"certwright.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  likewise
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
def main() -> None:
    """X.509 certificates for Kubernetes workloads: issued, stored and renewed, on a cluster or without one."""
