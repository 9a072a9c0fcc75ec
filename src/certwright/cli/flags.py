"""The flags of the controller process, in groups, each group a decorator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from certwright.app.options import Outside
from certwright.cli.params import CONNECT_TO, DURATION, LEVEL, LIST, SETTING
from certwright.cluster.settings import Settings
from certwright.rules.gates import KNOWN

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]
DEFAULTS = Settings()
PODS = Outside().http01_pods
SHOWN = [gate for gate in KNOWN if gate.switches]


def option(name: str, default: object, text: str, kind: Any = None) -> Decorator[Any]:
    """A flag whose default is shown where there is one."""
    shown = default not in {"", 0}
    return click.option(name, default=default, type=kind, show_default=shown, help=text)


def span(name: str, default: str, text: str) -> Decorator[Any]:
    """A flag that is a duration."""
    return option(name, default, text, DURATION)


def switch(name: str, default: bool, text: str) -> Decorator[Any]:
    """A flag that is given bare or as `--name=true|false`, as Go's are."""
    return click.option(name, type=bool, is_flag=False, flag_value=True, default=default, show_default=True, help=text)


def lists(name: str, default: tuple[str, ...], text: str) -> Decorator[Any]:
    """A flag with values joined by commas that may be given several times."""
    shown = ",".join(default)
    return click.option(name, type=LIST, multiple=True, default=[default], show_default=shown or False, help=text)


def pairs(name: str, kind: Any, text: str, metavar: str) -> Decorator[Any]:
    """A flag that may be given several times, each a pair."""
    return click.option(name, type=kind, multiple=True, metavar=metavar, help=text)


def group(*options: Decorator[Any]) -> Decorator[Any]:
    """All of them, shown in this order."""

    def add(command: F) -> F:
        for each in reversed(options):
            command = each(command)
        return command

    return add


def readable_file() -> click.Path:
    """A file that is there."""
    return click.Path(exists=True, dir_okay=False, path_type=Path)


cluster_flags = group(
    option("--kubeconfig", None, "Kubeconfig; in a Pod none is needed.", click.Path(path_type=Path)),
    option("--context", "", "Context of the kubeconfig."),
    option("--master", "", "URL of the API server, in the place of the kubeconfig's."),
    option("--namespace", "", "Watch this namespace only; ClusterIssuers are then not served."),
    option("--cluster-resource-namespace", "kube-system", "Where the Secrets are that ClusterIssuers refer to."),
    option("--kube-api-qps", 0.0, "Requests a second to the API server; no limit of our own by default."),
    option("--kube-api-burst", 0, "Requests at once above that rate."),
)

leader_flags = group(
    switch("--leader-elect", True, "Work only while holding the Lease cert-manager-controller."),
    option("--leader-election-namespace", "kube-system", "Where the Lease is."),
    span("--leader-election-lease-duration", "60s", "How long a lease holds."),
    span("--leader-election-renew-deadline", "40s", "Give up without a renewal for so long."),
    span("--leader-election-retry-period", "15s", "Between tries to renew or take it."),
)

behaviour_flags = group(
    lists("--controllers", ("*",), "Which controllers run: names, * for the default ones, -name to leave one out."),
    option("--concurrent-workers", DEFAULTS.parallel_passes, "Passes at once for each controller."),
    switch("--enable-certificate-owner-ref", False, "Secrets go when their Certificate is deleted."),
    lists(
        "--copied-annotation-prefixes",
        DEFAULTS.copied_annotation_prefixes,
        "Annotations of Certificates that requests and Orders get.",
    ),
    span("--certificate-request-minimum-backoff-duration", "1h", "Wait after a first failure."),
    span("--certificate-request-maximum-backoff-duration", "32h", "Longest wait after failures."),
    option("--max-concurrent-challenges", DEFAULTS.max_concurrent_challenges, "ACME challenges worked on at once."),
    switch("--cluster-issuer-ambient-credentials", True, "ClusterIssuers may use this process's own credentials."),
    switch("--issuer-ambient-credentials", False, "Issuers may use this process's own credentials."),
    option(
        "--legacy-mode",
        DEFAULTS.legacy_mode,
        "Whether certmanager.k8s.io/v1alpha1 is served, and mirrored into cert-manager.io.",
        click.Choice(["off", "serve", "mirror"]),
    ),
    span("--renew-before-expiry-duration", "720h", "When Certificates of certmanager.k8s.io are renewed."),
    option(
        "--renewal-spread",
        DEFAULTS.renewal_spread,
        "Share of its lead that a renewal may come early, an hour at most, so that not all come at once; 0: none.",
        click.FloatRange(0, 0.5),
    ),
    lists("--feature-gates", (), f"Features by name, as Name=true or Name=false: {', '.join(g.name for g in SHOWN)}."),
    switch("--ca-issuer-clip-lifetime", DEFAULTS.clip_to_ca, "What CA issuers sign ends with their CA at the latest."),
)

outside_flags = group(
    lists(
        "--dns01-recursive-nameservers",
        (),
        "Nameservers for DNS-01 checks: host:port or https:// URLs; those of the system if none is given.",
    ),
    switch("--dns01-recursive-nameservers-only", False, "Check DNS-01 at these only, not at the authoritative ones."),
    span("--dns01-check-retry-period", "10s", "Longest wait between checks of a challenge."),
    option(
        "--trusted-ca-file",
        None,
        "PEM certificates to trust besides the system's, for CAs and DNS services.",
        readable_file(),
    ),
    pairs(
        "--connect-to",
        CONNECT_TO,
        "Send an ACME host and port elsewhere, as curl's option of that name does; may be given several times.",
        "HOST:PORT:TARGET:PORT",
    ),
    pairs(
        "--provider-endpoint",
        SETTING,
        "Base URL of a DNS provider's API in the place of its own, e.g. cloudflare=http://127.0.0.1:8080/client/v4.",
        "PROVIDER=URL",
    ),
    pairs(
        "--authoritative-nameserver",
        SETTING,
        "Ask this address in the place of port 53 of an authoritative nameserver.",
        "NAME=ADDRESS:PORT",
    ),
)

http01_flags = group(
    option("--http01-listen-address", "0.0.0.0:8089", "Where HTTP-01 challenges are answered."),
    lists(
        "--http01-addresses", (), "Addresses of this process for HTTP-01 EndpointSlices; found out if none is given."
    ),
)

solver_flags = group(
    option(
        "--http01-mode",
        "shared",
        "Who answers HTTP-01: this process, a Pod for each challenge, or a Pod where this process is not reached.",
        click.Choice(["shared", "pod", "auto"]),
    ),
    lists("--acme-http01-solver-nameservers", (), "Nameservers for the self-check of HTTP-01."),
    lists("--acme-http01-solver-extra-labels", (), "Labels of all objects made for HTTP-01, as name=value."),
    option("--acme-http01-solver-image", PODS.image, "Image of solver Pods."),
    option("--acme-http01-solver-resource-request-cpu", PODS.cpu_request, "CPU that solver Pods ask for."),
    option("--acme-http01-solver-resource-request-memory", PODS.memory_request, "Memory that solver Pods ask for."),
    option("--acme-http01-solver-resource-limits-cpu", PODS.cpu_limit, "Most CPU of a solver Pod."),
    option("--acme-http01-solver-resource-limits-memory", PODS.memory_limit, "Most memory of a solver Pod."),
    switch("--acme-http01-solver-run-as-non-root", True, "Solver Pods must not run as root."),
    option("--acme-http01-solver-runtime-class-name", "", "RuntimeClass of solver Pods."),
)

log_flags = group(
    option("--logging-format", "text", "Form of log lines.", click.Choice(["text", "json"])),
    click.option(
        "-v",
        "--v",
        "verbosity",
        type=LEVEL,
        default=2,
        show_default=True,
        help="-1: warnings only, 3: details, 6: libraries too.",
    ),
)
