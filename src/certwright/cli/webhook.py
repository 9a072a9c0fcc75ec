"""`certwright webhook`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from certwright.app.webhook import FromFiles, FromOwnCA, WebhookOptions
from certwright.cli.controller import gates_from
from certwright.cli.flags import group, lists, log_flags, option, span, switch
from certwright.cli.params import joined
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.gated_fields import FIELD_GATES
from certwright.telemetry.logs import LogFormat
from certwright.webhook.serving.tls import CIPHER_SUITES, MINIMUM_VERSIONS

EPILOG = """\b
Examples:
  certwright webhook --tls-cert-file tls.crt --tls-private-key-file tls.key
  certwright webhook --secure-port 10250 --dynamic-serving-ca-secret-namespace cert-manager \\
      --dynamic-serving-ca-secret-name cert-manager-webhook-ca \\
      --dynamic-serving-dns-names cert-manager-webhook.cert-manager.svc
  certwright webhook --enable-client-verification --client-ca-path ca.crt --client-subject-names kube-apiserver ...
"""
# Flags of cert-manager whose subject does not exist here, with what is to be done instead.
_METRICS_OVER_TLS = "metrics are served without TLS; leave it out, and put a proxy before the port where TLS is needed"
NOT_HERE = {
    "--config": "there is no file of options; give them as flags",
    "--enable-profiling": "there is no profiler to be asked over HTTP; leave it out",
    "--profiler-address": "there is no profiler to be asked over HTTP; leave it out",
    "--log-flush-frequency": "log lines are written at once; leave it out",
    "--vmodule": "the level of logs is the same everywhere; use -v",
    "--metrics-tls-cert-file": _METRICS_OVER_TLS,
    "--metrics-tls-private-key-file": _METRICS_OVER_TLS,
    "--metrics-tls-cipher-suites": _METRICS_OVER_TLS,
    "--metrics-tls-min-version": _METRICS_OVER_TLS,
    "--metrics-dynamic-serving-ca-secret-name": _METRICS_OVER_TLS,
    "--metrics-dynamic-serving-ca-secret-namespace": _METRICS_OVER_TLS,
    "--metrics-dynamic-serving-dns-names": _METRICS_OVER_TLS,
    "--metrics-dynamic-serving-leaf-duration": _METRICS_OVER_TLS,
}


def _refuse(_context: click.Context, param: click.Parameter, value: object) -> None:
    if value is not None and value != "false":
        raise click.UsageError(f"{param.opts[0]}: {NOT_HERE[param.opts[0]]}")


refused_flags = group(
    *(
        click.option(
            name, default=None, hidden=True, expose_value=False, callback=_refuse, is_flag=False, flag_value=""
        )
        for name in NOT_HERE
    )
)

path = click.Path(path_type=Path)

serving_flags = group(
    option("--secure-port", 6443, "Port for the API server; 0 takes a free one."),
    option("--healthz-port", 6080, "Port of /healthz and /livez; 0 takes a free one."),
    option("--bind-address", "0.0.0.0", "Address that both ports are listened on at."),  # noqa: S104 - shown, a Pod's
    option(
        "--tls-cert-file", None, "PEM file of the serving certificate with its chain; read again as it changes.", path
    ),
    option("--tls-private-key-file", None, "PEM file of its key.", path),
    option("--dynamic-serving-ca-secret-namespace", "", "Namespace of the Secret with the webhook's own CA."),
    option("--dynamic-serving-ca-secret-name", "", "Name of that Secret; it is made if it is missing."),
    lists("--dynamic-serving-dns-names", (), "DNS names (or IP addresses) of the serving certificate that is made."),
    span("--dynamic-serving-leaf-duration", "168h", "How long that certificate lives."),
    option("--tls-min-version", "VersionTLS12", "Oldest version of TLS.", click.Choice([*MINIMUM_VERSIONS])),
    lists("--tls-cipher-suites", (), f"Cipher suites, all by default: {', '.join(CIPHER_SUITES)}."),
    switch("--enable-client-verification", False, "Clients must show a certificate."),
    option("--client-ca-path", None, "PEM file of the CA of client certificates.", path),
    lists("--client-subject-names", (), "Common or DNS names of client certificates that are let in; all by default."),
)


@click.command(epilog=EPILOG)
@option("--kubeconfig", None, "Kubeconfig; in a Pod none is needed.", path)
@option("--api-server-host", "", "URL of the API server, in the place of the kubeconfig's.")
@serving_flags
@lists("--feature-gates", (), f"Fields that may be set, as Name=true or Name=false: {', '.join(FIELD_GATES)}.")
@click.option("--metrics-listen-address", default="0.0.0.0:9402", show_default=True, help="Where /metrics is served.")
@refused_flags
@log_flags
def command(logging_format: LogFormat, verbosity: int, **flags: Any) -> None:
    """Answer an API server's questions of admission until SIGTERM or SIGINT.

    New CertificateRequests get the identity of their requester, objects are checked beyond what the API server can,
    and who approves requests needs the permission. The serving certificate comes from files, or is made here.
    """
    from certwright.app.webhook import run_webhook

    raise SystemExit(run_webhook(options_from(flags), logging_format, verbosity))


def options_from(flags: dict[str, Any]) -> WebhookOptions:
    """The options that the flags say."""
    suites = joined(flags["tls_cipher_suites"])
    unknown = [name for name in suites if name not in CIPHER_SUITES]
    if unknown:
        raise click.UsageError(f"the cipher suite {unknown[0]!r} is not offered; known are {', '.join(CIPHER_SUITES)}")
    verified = flags["enable_client_verification"]
    if verified != (flags["client_ca_path"] is not None):
        raise click.UsageError("--enable-client-verification and --client-ca-path go together: give both or none")
    return WebhookOptions(
        serving=serving_from(flags),
        kubeconfig=flags["kubeconfig"],
        api_server_host=flags["api_server_host"],
        bind_address=flags["bind_address"],
        secure_port=flags["secure_port"],
        healthz_port=flags["healthz_port"],
        metrics_listen_address=flags["metrics_listen_address"],
        client_ca=flags["client_ca_path"],
        client_names=frozenset(joined(flags["client_subject_names"])),
        tls_min_version=flags["tls_min_version"],
        tls_cipher_suites=suites,
        gates=gates_from(joined(flags["feature_gates"])),
    )


def serving_from(flags: dict[str, Any]) -> FromFiles | FromOwnCA:
    """Where the serving certificate comes from."""
    certificate, key = flags["tls_cert_file"], flags["tls_private_key_file"]
    if certificate is not None and key is not None:
        return FromFiles(certificate, key)
    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-cert-file and --tls-private-key-file go together: give both")
    secret = ObjectKey(flags["dynamic_serving_ca_secret_namespace"], flags["dynamic_serving_ca_secret_name"])
    names = joined(flags["dynamic_serving_dns_names"])
    if not all((*secret, names)):
        raise click.UsageError(
            "a serving certificate is needed: give --tls-cert-file and --tls-private-key-file, or "
            "--dynamic-serving-ca-secret-namespace, --dynamic-serving-ca-secret-name and --dynamic-serving-dns-names"
        )
    return FromOwnCA(secret, names, flags["dynamic_serving_leaf_duration"])
