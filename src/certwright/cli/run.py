"""`certwright run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from certwright.acme.server.options import ValidationOptions
from certwright.app.memory import loading
from certwright.app.options import ControllerOptions
from certwright.app.standalone import ACME_PORT, API_PORT, Running, StandaloneOptions, order_options
from certwright.cli.controller import outside_from, settings_from
from certwright.cli.flags import behaviour_flags, group, log_flags, option, outside_flags, switch
from certwright.cli.params import DURATION, joined
from certwright.telemetry.logs import LogFormat

EPILOG = """\b
Examples:
  certwright run
  certwright run --data-dir /var/lib/certwright --durability FULL
  certwright run --acme=false --port 6443 --authorization-mode RBAC
\b
Then, in another shell:
  kubectl --kubeconfig certwright-data/kubeconfig get certificates -A
"""

server_flags = group(
    option("--data-dir", "certwright-data", "Folder of all data; made if it is missing.", click.Path(path_type=Path)),
    option("--host", "127.0.0.1", "Address to listen on. Others than loopback can be reached from outside."),
    click.option("--port", default=API_PORT, show_default=True, help="Port of the API server; 0 takes a free one."),
    option(
        "--authorization-mode",
        "AlwaysAllow",
        "Whether RBAC rules are enforced.",
        click.Choice(["AlwaysAllow", "RBAC"]),
    ),
    option(
        "--durability",
        "NORMAL",
        "NORMAL survives a kill of the process, FULL also a power cut.",
        click.Choice(["NORMAL", "FULL"]),
    ),
    option("--namespace", "", "Issue for this namespace only; ClusterIssuers are then not served."),
    option("--cluster-resource-namespace", "kube-system", "Where the Secrets are that ClusterIssuers refer to."),
    click.option("--metrics-listen-address", default="127.0.0.1:9402", show_default=True, help="0 for none."),
)

acme_flags = group(
    switch("--acme", True, "Run the local ACME CA."),
    click.option("--acme-port", default=ACME_PORT, show_default=True, help="Port of the local CA; 0 takes a free one."),
    option("--acme-dns-server", "", "HOST:PORT that the local CA asks for TXT records and addresses."),
    click.option(
        "--http01-port",
        default=8089,
        show_default=True,
        help="Where HTTP-01 is answered, and where the local CA asks it.",
    ),
    option("--acme-certificate-lifetime", None, "How long its certificates live; 90 days by default.", DURATION),
)


@click.command(epilog=EPILOG)
@server_flags
@acme_flags
@behaviour_flags
@outside_flags
@log_flags
def command(logging_format: LogFormat, verbosity: int, **flags: Any) -> None:
    """Run everything in one process: API server, controllers and a local ACME CA.

    No cluster is needed: kubectl and every other client of Kubernetes speak to it.
    """
    with loading():
        from certwright.app.standalone_process import run_standalone

    raise SystemExit(run_standalone(options_from(flags), logging_format, verbosity, tell))


def options_from(flags: dict[str, Any]) -> StandaloneOptions:
    """The options that the flags say."""
    return StandaloneOptions(
        data_dir=flags["data_dir"].absolute(),
        host=flags["host"],
        port=flags["port"],
        authorization_mode=flags["authorization_mode"],
        durability=flags["durability"],
        acme_port=flags["acme_port"] if flags["acme"] else None,
        acme_validation=ValidationOptions(dns_server=flags["acme_dns_server"], http_port=flags["http01_port"]),
        acme_orders=order_options(flags["acme_certificate_lifetime"]),
        controller=ControllerOptions(
            settings=settings_from(flags),
            controllers=joined(flags["controllers"]),
            outside=msgspec.structs.replace(
                outside_from(flags),
                http01_listen_address=f"{flags['host']}:{flags['http01_port']}",
                http01_addresses=(),
                http01_port=flags["http01_port"],
            ),
            metrics_listen_address=flags["metrics_listen_address"],
            healthz_listen_address="0",
        ),
    )


def tell(running: Running) -> None:
    """What a user does next."""
    click.echo(f"API server   {running.api_url}")
    if running.acme_root:
        click.echo(f"local CA     {running.acme_directory}  (its root: {running.acme_root})")
    click.echo(f"next         kubectl --kubeconfig {running.kubeconfig} get certificates -A")
