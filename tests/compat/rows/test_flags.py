"""Flags of the controller that are there have cert-manager's default and reach what they steer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from certwright.app.options import ControllerOptions
from certwright.cli import controller
from certwright.cli.controller import options_from
from certwright.cluster.settings import Settings
from certwright.solvers.http01.pod import PodOptions

FLAGS = Path(__file__).resolve().parents[4] / "shared" / "api" / "flags.json"


def parsed(*arguments: str) -> ControllerOptions:
    """The options of a command line."""
    with controller.command.make_context("controller", list(arguments)) as context:
        return options_from(dict(context.params))


def test_what_they_steer() -> None:
    found = parsed(
        "--namespace=shop",
        "--cluster-resource-namespace=cert-manager",
        "--enable-certificate-owner-ref",
        "--copied-annotation-prefixes=team.io/,-team.io/x",
        "--certificate-request-minimum-backoff-duration=1m",
        "--certificate-request-maximum-backoff-duration=1h30m",
        "--max-concurrent-challenges=7",
        "--dns01-check-retry-period=3s",
        "--cluster-issuer-ambient-credentials=false",
        "--issuer-ambient-credentials",
    )

    assert found.settings == Settings(
        namespace="shop",
        cluster_resource_namespace="cert-manager",
        enable_certificate_owner_ref=True,
        copied_annotation_prefixes=("team.io/", "-team.io/x"),
        minimum_backoff=timedelta(minutes=1),
        maximum_backoff=timedelta(minutes=90),
        max_concurrent_challenges=7,
        challenge_retry_period=timedelta(seconds=3),
        cluster_issuer_ambient_credentials=False,
        issuer_ambient_credentials=True,
    )


# Ours is better for users: more passes at once cost nothing here, and the API server's own flow control is enough.
OTHER_DEFAULTS = {"concurrent-workers", "kube-api-qps", "kube-api-burst"}


@pytest.mark.skipif(not FLAGS.exists(), reason="absent: the inventory of flags")
def test_defaults_are_those_of_the_inventory() -> None:
    theirs = {flag["name"]: flag.get("default", "") for flag in msgspec.json.decode(FLAGS.read_bytes())["controller"]}
    ours = {name.removeprefix("--"): each for each in controller.command.params for name in each.opts}

    shared = {name for name in theirs.keys() & ours.keys() if len(name) > 1} - {"help", *OTHER_DEFAULTS}
    different = {name for name in shared if written(ours[name].default) != compact(theirs[name])}

    assert len(shared) > 20
    assert different == set()


def written(default: object) -> str:
    """A default of ours as Go's help writes it, without what is there twice."""
    if isinstance(default, bool):
        return str(default).lower() if default else ""
    if isinstance(default, list | tuple):
        values = [value for each in default for value in ([each] if isinstance(each, str) else each)]
        return f"[{','.join(values)}]" if values else ""
    return compact(str(default or ""))


def compact(text: str) -> str:
    """`1h0m0s` and `1h`, `1m0s` and `60s` are the same."""
    return {"1h0m0s": "1h", "32h0m0s": "32h", "1m0s": "60s"}.get(text, text)


def test_metrics_and_health_have_the_ports_that_probes_and_monitors_ask() -> None:
    found = parsed()

    assert (found.metrics_listen_address, found.healthz_listen_address) == ("0.0.0.0:9402", "0.0.0.0:9403")


def test_flags_of_http01_solvers() -> None:
    found = parsed(
        "--http01-mode=auto",
        "--acme-http01-solver-nameservers=1.1.1.1:53,9.9.9.9:53",
        "--acme-http01-solver-extra-labels=team=web,tier=",
        "--acme-http01-solver-image=example.test/solver:1",
        "--acme-http01-solver-resource-request-cpu=1m",
        "--acme-http01-solver-resource-request-memory=2Mi",
        "--acme-http01-solver-resource-limits-cpu=3m",
        "--acme-http01-solver-resource-limits-memory=4Mi",
        "--acme-http01-solver-run-as-non-root=false",
        "--acme-http01-solver-runtime-class-name=gvisor",
    ).outside

    assert found.http01_mode == "auto"
    assert found.http01_nameservers == ("1.1.1.1:53", "9.9.9.9:53")
    assert found.http01_labels == {"team": "web", "tier": ""}
    assert found.http01_pods == PodOptions(
        image="example.test/solver:1",
        cpu_request="1m",
        memory_request="2Mi",
        cpu_limit="3m",
        memory_limit="4Mi",
        run_as_non_root=False,
        runtime_class_name="gvisor",
    )
