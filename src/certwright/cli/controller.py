"""`certwright controller`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from certwright.app.memory import loading
from certwright.app.options import ControllerOptions, LeaderElection, Outside
from certwright.cli.flags import (
    behaviour_flags,
    cluster_flags,
    http01_flags,
    leader_flags,
    log_flags,
    outside_flags,
    solver_flags,
)
from certwright.cli.params import joined
from certwright.cluster.settings import Settings
from certwright.rules.gates import Gates, read_gates
from certwright.solvers.http01.pod import PodOptions
from certwright.telemetry.logs import LogFormat

EPILOG = """\b
Examples:
  certwright controller --kubeconfig ~/.kube/config --leader-elect=false
  certwright controller --namespace shop --cluster-resource-namespace cert-manager
  certwright controller --dns01-recursive-nameservers 1.1.1.1:53,https://dns.example/dns-query
"""


@click.command(epilog=EPILOG)
@cluster_flags
@leader_flags
@behaviour_flags
@outside_flags
@http01_flags
@solver_flags
@click.option("--metrics-listen-address", default="0.0.0.0:9402", show_default=True, help="Where /metrics is served.")
@click.option("--internal-healthz-listen-address", default="0.0.0.0:9403", hidden=True)
@log_flags
def command(logging_format: LogFormat, verbosity: int, **flags: Any) -> None:
    """Run the controllers against a Kubernetes API server until SIGTERM or SIGINT."""
    with loading():
        from certwright.app.controller import run_controller

    raise SystemExit(run_controller(options_from(flags), logging_format, verbosity))


def options_from(flags: dict[str, Any]) -> ControllerOptions:
    """The options that the flags say."""
    return ControllerOptions(
        kubeconfig=flags["kubeconfig"],
        context=flags["context"],
        master=flags["master"],
        settings=settings_from(flags),
        leader_election=LeaderElection(
            enabled=flags["leader_elect"],
            namespace=flags["leader_election_namespace"],
            lease_duration=flags["leader_election_lease_duration"],
            renew_deadline=flags["leader_election_renew_deadline"],
            retry_period=flags["leader_election_retry_period"],
        ),
        outside=msgspec.structs.replace(
            outside_from(flags),
            http01_listen_address=flags["http01_listen_address"],
            http01_addresses=joined(flags["http01_addresses"]) or None,
            http01_mode=flags["http01_mode"],
            http01_nameservers=joined(flags["acme_http01_solver_nameservers"]),
            http01_labels=labels_from(joined(flags["acme_http01_solver_extra_labels"])),
            http01_pods=pods_from(flags),
        ),
        controllers=joined(flags["controllers"]),
        metrics_listen_address=flags["metrics_listen_address"],
        healthz_listen_address=flags["internal_healthz_listen_address"],
        kube_api_qps=flags["kube_api_qps"],
        kube_api_burst=flags["kube_api_burst"],
    )


def pods_from(flags: dict[str, Any]) -> PodOptions:
    """How solver Pods are made, from the flags of `solver_flags`."""
    return PodOptions(
        image=flags["acme_http01_solver_image"],
        cpu_request=flags["acme_http01_solver_resource_request_cpu"],
        memory_request=flags["acme_http01_solver_resource_request_memory"],
        cpu_limit=flags["acme_http01_solver_resource_limits_cpu"],
        memory_limit=flags["acme_http01_solver_resource_limits_memory"],
        run_as_non_root=flags["acme_http01_solver_run_as_non_root"],
        runtime_class_name=flags["acme_http01_solver_runtime_class_name"],
    )


def labels_from(pairs: tuple[str, ...]) -> dict[str, str]:
    """Labels written as name=value."""
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise click.UsageError(f"{wrong[0]!r} is no label: write name=value")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def settings_from(flags: dict[str, Any]) -> Settings:
    """How certificates are made, from the flags of `behaviour_flags`."""
    minimum: timedelta = flags["certificate_request_minimum_backoff_duration"]
    maximum: timedelta = flags["certificate_request_maximum_backoff_duration"]
    if maximum < minimum:
        raise click.UsageError("the maximum back-off is below the minimum: raise the one or lower the other")
    return Settings(
        cluster_resource_namespace=flags["cluster_resource_namespace"],
        namespace=flags["namespace"],
        enable_certificate_owner_ref=flags["enable_certificate_owner_ref"],
        copied_annotation_prefixes=joined(flags["copied_annotation_prefixes"]),
        minimum_backoff=minimum,
        maximum_backoff=maximum,
        max_concurrent_challenges=flags["max_concurrent_challenges"],
        challenge_retry_period=flags["dns01_check_retry_period"],
        cluster_issuer_ambient_credentials=flags["cluster_issuer_ambient_credentials"],
        issuer_ambient_credentials=flags["issuer_ambient_credentials"],
        legacy_mode=flags["legacy_mode"],
        legacy_renew_before=flags["renew_before_expiry_duration"],
        renewal_spread=flags["renewal_spread"],
        clip_to_ca=flags["ca_issuer_clip_lifetime"],
        parallel_passes=flags["concurrent_workers"],
        gates=gates_from(joined(flags["feature_gates"])),
    )


def gates_from(values: tuple[str, ...]) -> Gates:
    """The features that are on."""
    try:
        return read_gates(values)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def outside_from(flags: dict[str, Any]) -> Outside:
    """How the outside is reached, from the flags of `outside_flags`."""
    ca_file: Path | None = flags["trusted_ca_file"]
    return Outside(
        trusted_ca_pem=ca_file.read_bytes() if ca_file else b"",
        connect_to=dict(flags["connect_to"]),
        provider_endpoints=dict(flags["provider_endpoint"]),
        recursive_nameservers=joined(flags["dns01_recursive_nameservers"]),
        recursive_nameservers_only=flags["dns01_recursive_nameservers_only"],
        authoritative_addresses=dict(flags["authoritative_nameserver"]),
    )
