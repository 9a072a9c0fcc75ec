"""The flags of the webhook: their names are cert-manager's, and what does not exist here is refused with a sentence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
import msgspec
import pytest

from certwright.app.webhook import FromFiles, FromOwnCA, WebhookOptions
from certwright.cli import webhook
from certwright.cli.webhook import NOT_HERE, options_from
from certwright.kube.wire.keys import ObjectKey

FLAGS = Path(__file__).resolve().parents[4] / "shared" / "api" / "flags.json"
FILES = ["--tls-cert-file=a.crt", "--tls-private-key-file=a.key"]
OURS = [
    "--dynamic-serving-ca-secret-namespace=cert-manager",
    "--dynamic-serving-ca-secret-name=cert-manager-webhook-ca",
    "--dynamic-serving-dns-names=a,b",
    "--dynamic-serving-dns-names=c",
]


def parsed(*arguments: str) -> WebhookOptions:
    with webhook.command.make_context("webhook", list(arguments)) as context:
        flags = {name: value for name, value in context.params.items() if name not in {"logging_format", "verbosity"}}
        return options_from(flags)


@pytest.mark.skipif(not FLAGS.exists(), reason="absent: the inventory of flags")
def test_every_flag_of_upstream_is_known() -> None:
    theirs = {flag["name"] for flag in msgspec.json.decode(FLAGS.read_bytes())["webhook"]}

    ours = {name.removeprefix("--") for each in webhook.command.params for name in each.opts if name.startswith("--")}

    assert theirs - ours - {"help"} == set()


@pytest.mark.skipif(not FLAGS.exists(), reason="absent: the inventory of flags")
def test_defaults_are_those_of_upstream() -> None:
    theirs = {flag["name"]: flag.get("default") for flag in msgspec.json.decode(FLAGS.read_bytes())["webhook"]}
    ours = {name.removeprefix("--"): each.default for each in webhook.command.params for name in each.opts}

    named = {name: default for name, default in theirs.items() if default and f"--{name}" not in NOT_HERE}

    assert named == {
        "dynamic-serving-leaf-duration": "168h0m0s",
        "healthz-port": "6080",
        "logging-format": "text",
        "metrics-listen-address": "0.0.0.0:9402",
        "secure-port": "6443",
    }
    assert {name: str(ours[name]).replace("168h", "168h0m0s") for name in named} == named


def test_the_certificate_comes_from_files_or_is_made_here() -> None:
    assert parsed(*FILES) == WebhookOptions(serving=FromFiles(Path("a.crt"), Path("a.key")))
    assert parsed(*OURS).serving == FromOwnCA(ObjectKey("cert-manager", "cert-manager-webhook-ca"), ("a", "b", "c"))
    lifetime = parsed(*OURS, "--dynamic-serving-leaf-duration=24h").serving
    assert isinstance(lifetime, FromOwnCA)
    assert lifetime.lifetime == timedelta(days=1)


def test_the_other_flags() -> None:
    found = parsed(
        *FILES,
        "--secure-port=10250",
        "--enable-client-verification",
        "--client-ca-path=ca.crt",
        "--client-subject-names=a,b",
        "--tls-min-version=VersionTLS13",
        "--tls-cipher-suites=TLS_AES_128_GCM_SHA256",
        "--feature-gates=OtherNames=false",
        "--enable-profiling=false",
    )

    assert found.secure_port == 10250
    assert (found.client_ca, found.client_names) == (Path("ca.crt"), frozenset({"a", "b"}))
    assert (found.tls_min_version, found.tls_cipher_suites) == ("VersionTLS13", ("TLS_AES_128_GCM_SHA256",))
    assert "OtherNames" not in found.gates


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "a serving certificate is needed: give"),
        (OURS[:2], "a serving certificate is needed: give"),
        (FILES[:1], "--tls-cert-file and --tls-private-key-file go together"),
        ([*FILES, "--enable-client-verification"], "--enable-client-verification and --client-ca-path go together"),
        ([*FILES, "--client-ca-path=a"], "--enable-client-verification and --client-ca-path go together"),
        ([*FILES, "--tls-cipher-suites=RC4"], "the cipher suite 'RC4' is not offered"),
        ([*FILES, "--tls-min-version=VersionTLS10"], "VersionTLS10"),
        ([*FILES, "--feature-gates=Nothing=true"], "there is no feature gate 'Nothing'"),
        ([*FILES, "--enable-profiling"], "there is no profiler"),
        *(([*FILES, f"{name}=x"], text) for name, text in NOT_HERE.items()),
    ],
)
def test_bad_values_are_refused_with_a_sentence(arguments: list[str], words: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        parsed(*arguments)

    assert words in refused.value.format_message()
