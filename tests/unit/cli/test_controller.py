"""The flags of the controller: their names are cert-manager's, their values become options."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from certwright.app.options import ControllerOptions
from certwright.cli import controller, main
from certwright.cli.controller import options_from

FLAGS = Path(__file__).resolve().parents[4] / "shared" / "api" / "flags.json"
# What cert-manager has and we do not say yet; the ledger's rows on flags name them too.
NOT_YET = {
    "auto-certificate-annotations",
    "config",
    "default-issuer-group",
    "default-issuer-kind",
    "default-issuer-name",
    "enable-gateway-api",
    "enable-gateway-api-listenerset",
    "enable-profiling",
    "extra-certificate-annotations",
    "gateway-api-extra-protocols",
    "log-flush-frequency",
    "max-certificate-bundle-size",
    "max-certificate-chain-length",
    "max-certificate-size",
    "max-private-key-size",
    "metrics-dynamic-serving-ca-secret-name",
    "metrics-dynamic-serving-ca-secret-namespace",
    "metrics-dynamic-serving-dns-names",
    "metrics-dynamic-serving-leaf-duration",
    "metrics-tls-cert-file",
    "metrics-tls-cipher-suites",
    "metrics-tls-min-version",
    "metrics-tls-private-key-file",
    "profiler-address",
    "vmodule",
}


def parsed(*arguments: str) -> ControllerOptions:
    """The options of a command line."""
    with controller.command.make_context("controller", list(arguments)) as context:
        flags = {name: value for name, value in context.params.items() if name not in {"logging_format", "verbosity"}}
        return options_from(flags)


@pytest.mark.skipif(not FLAGS.exists(), reason="absent: the inventory of flags")
def test_every_flag_of_upstream_is_known_or_named_as_missing() -> None:
    theirs = {flag["name"] for flag in msgspec.json.decode(FLAGS.read_bytes())["controller"]}

    ours = {
        name.removeprefix("--") for each in controller.command.params for name in each.opts if name.startswith("--")
    }

    assert theirs - ours - {"help"} == NOT_YET


def test_defaults_are_those_of_the_options() -> None:
    assert parsed() == ControllerOptions()


def test_durations_lists_and_switches_are_written_as_in_go() -> None:
    found = parsed(
        "--leader-elect=false",
        "--leader-election-lease-duration=1m30s",
        "--dns01-recursive-nameservers=1.1.1.1:53,9.9.9.9:53",
        "--dns01-recursive-nameservers",
        "https://dns.example/dns-query",
        "--dns01-recursive-nameservers-only",
        "--connect-to=acme.example.com:443:127.0.0.1:14000",
        "--connect-to=v6.example.com:443:[::1]:14000",
        "--provider-endpoint=cloudflare=http://127.0.0.1:8080/client/v4?a=b",
    )

    assert not found.leader_election.enabled
    assert found.leader_election.lease_duration == timedelta(seconds=90)
    assert found.outside.recursive_nameservers == ("1.1.1.1:53", "9.9.9.9:53", "https://dns.example/dns-query")
    assert found.outside.recursive_nameservers_only
    assert found.outside.connect_to["v6.example.com:443"] == "[::1]:14000"
    assert found.outside.provider_endpoints == {"cloudflare": "http://127.0.0.1:8080/client/v4?a=b"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dns01-check-retry-period=soon"], "'soon' is not a duration"),
        (["--connect-to=acme.example.com:443"], "is not HOST:PORT:TARGET:PORT"),
        (["--provider-endpoint=cloudflare"], "is not NAME=VALUE"),
        (["--trusted-ca-file=/does/not/exist"], "does not exist"),
        (["--certificate-request-maximum-backoff-duration=1m"], "the maximum back-off is below the minimum"),
        (["--acme-http01-solver-extra-labels=team"], "'team' is no label: write name=value"),
        (["--feature-gates=NoSuchGate=true"], "there is no feature gate 'NoSuchGate'"),
        (["--feature-gates=MLDSA"], "write MLDSA=true or MLDSA=false"),
        (["--no-such-flag"], "No such option"),
    ],
)
def test_bad_values_are_refused_with_a_sentence(arguments: list[str], words: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        parsed(*arguments)

    assert words in refused.value.format_message()


def test_help_names_every_command_and_shows_examples() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=100)

    assert shown.exit_code == 0
    assert "Run the controllers against a Kubernetes API server." in shown.output
    assert "certwright demo" in shown.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    shown = CliRunner().invoke(main, ["completion", shell])

    assert shown.exit_code == 0
    assert "_CERTWRIGHT_COMPLETE" in shown.output


def test_version_as_json() -> None:
    shown = CliRunner().invoke(main, ["version", "-o", "json"])

    assert msgspec.json.decode(shown.output)["clientVersion"]["version"]
