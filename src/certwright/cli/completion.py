"""`certwright completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

EPILOG = """\b
Examples:
  source <(certwright completion bash)
  certwright completion zsh > "${fpath[1]}/_certwright"
  certwright completion fish > ~/.config/fish/completions/certwright.fish
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell."""
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root()
    click.echo(found(root.command, {}, "certwright", "_CERTWRIGHT_COMPLETE").source())
