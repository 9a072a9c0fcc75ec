"""Names, types and labels of metrics are what dashboards made for cert-manager 1.21 ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.clock import MovableClock

from certwright.acme.client.transport import MetricsHook, Request
from certwright.kube.runtime.loop import LoopObserver
from certwright.telemetry.exposition import LINES_A_CHUNK, exposition
from certwright.telemetry.metrics import Metrics
from certwright.telemetry.samples import (
    LONGEST_REASON,
    CertificateSample,
    ChallengeSample,
    IssuerSample,
    Samples,
)
from certwright.telemetry.series import MOST_KEPT

ISSUER = {"issuer_name", "issuer_kind", "issuer_group"}
REQUEST = {"scheme", "host", "action", "method", "status"}
CHALLENGE = {"status", "domain", "reason", "processing", "name", "namespace", "type"}
# Name: type, labels.
SURFACE: dict[str, tuple[str, set[str]]] = {
    "certmanager_clock_time_seconds": ("counter", set()),
    "certmanager_clock_time_seconds_gauge": ("gauge", set()),
    "certmanager_certificate_ready_status": ("gauge", {"name", "namespace", "condition"} | ISSUER),
    "certmanager_certificate_expiration_timestamp_seconds": ("gauge", {"name", "namespace"} | ISSUER),
    "certmanager_certificate_not_after_timestamp_seconds": ("gauge", {"name", "namespace"} | ISSUER),
    "certmanager_certificate_not_before_timestamp_seconds": ("gauge", {"name", "namespace"} | ISSUER),
    "certmanager_certificate_renewal_timestamp_seconds": ("gauge", {"name", "namespace"} | ISSUER),
    "certmanager_certificate_challenge_status": ("gauge", CHALLENGE),
    "certmanager_issuer_ready_status": ("gauge", {"name", "namespace", "condition"}),
    "certmanager_clusterissuer_ready_status": ("gauge", {"name", "condition"}),
    "certmanager_http_acme_client_request_count": ("counter", REQUEST),
    "certmanager_http_acme_client_request_duration_seconds": ("summary", REQUEST | {"quantile"}),
    "certmanager_http_venafi_client_request_duration_seconds": ("summary", {"api_call", "quantile"}),
    "certmanager_venafi_oauth_token_requests_total": ("counter", {"status"}),
    "certmanager_venafi_oauth_token_request_duration_seconds": ("histogram", {"le"}),
    "certmanager_controller_sync_call_count": ("counter", {"controller"}),
    "certmanager_controller_sync_error_count": ("counter", {"controller"}),
}

WEB = CertificateSample(namespace="shop", name="web", issuer_name="ca")


def order_that_took(seconds: float) -> Request:
    return Request("https", "acme.test", "authorize_order", "POST", 201, seconds)


class Rig:
    """Metrics over lists that a test changes."""

    def __init__(self) -> None:
        self.certificates: list[CertificateSample] = []
        self.issuers: list[IssuerSample] = []
        self.cluster_issuers: list[IssuerSample] = []
        self.challenges: list[ChallengeSample] = []
        self.clock = MovableClock()
        samples = Samples(
            certificates=lambda: self.certificates,
            issuers=lambda: self.issuers,
            cluster_issuers=lambda: self.cluster_issuers,
            challenges=lambda: self.challenges,
        )
        self.metrics = Metrics(self.clock, samples)

    def text(self) -> str:
        return b"".join(exposition(self.metrics.collect())).decode()

    def lines(self, name: str) -> list[str]:
        return [line for line in self.text().splitlines() if line.startswith(name)]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def everything(rig: Rig) -> None:
    rig.certificates = [WEB]
    rig.issuers = [IssuerSample(namespace="shop", name="ca", ready="True")]
    rig.cluster_issuers = [IssuerSample(name="ca", ready="False")]
    rig.challenges = [ChallengeSample(namespace="shop", name="web-1", domain="web.test", type="DNS-01")]
    rig.metrics.pass_made("issuers")
    rig.metrics.pass_failed("issuers")
    rig.metrics.acme_request(order_that_took(1))
    rig.metrics.venafi_request("retrieve", timedelta(seconds=1))
    rig.metrics.venafi_token("success", timedelta(seconds=1))


def test_the_whole_surface(rig: Rig) -> None:
    everything(rig)

    text = rig.text()

    types = dict(line.split()[2:] for line in text.splitlines() if line.startswith("# TYPE"))
    assert types == {name: kind for name, (kind, _) in SURFACE.items()}
    for name, (kind, labels) in SURFACE.items():
        lines = [line for line in text.splitlines() if line.startswith((name + "{", name + " ", name + "_bucket"))]
        assert {part.split("=")[0] for line in lines for part in _labels(line)} == labels, (name, kind)


def _labels(line: str) -> list[str]:
    inside = line.partition("{")[2].rpartition("}")[0]
    return inside.split(",") if inside else []


def test_prometheus_can_read_it(rig: Rig) -> None:
    everything(rig)

    families = list(text_string_to_metric_families(rig.text()))

    assert len(families) == len(SURFACE)


def test_series_of_use_appear_with_the_first_use_but_the_histogram_is_there_from_the_start(rig: Rig) -> None:
    names = {line.split()[2] for line in rig.text().splitlines() if line.startswith("# TYPE")}

    assert names == {
        "certmanager_clock_time_seconds",
        "certmanager_clock_time_seconds_gauge",
        "certmanager_venafi_oauth_token_request_duration_seconds",
    }


def test_a_certificate_has_one_series_a_truth_and_zero_where_a_time_is_unset(rig: Rig) -> None:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    rig.certificates = [
        CertificateSample(namespace="shop", name="web", issuer_name="ca", ready="True", not_after=at, renewal=None)
    ]

    labels = 'issuer_group="",issuer_kind="",issuer_name="ca",name="web",namespace="shop"'
    assert rig.lines("certmanager_certificate_ready_status") == [
        f'certmanager_certificate_ready_status{{condition="True",{labels}}} 1.0',
        f'certmanager_certificate_ready_status{{condition="False",{labels}}} 0.0',
        f'certmanager_certificate_ready_status{{condition="Unknown",{labels}}} 0.0',
    ]
    assert rig.lines("certmanager_certificate_renewal") == [
        f"certmanager_certificate_renewal_timestamp_seconds{{{labels}}} 0.0"
    ]
    [expiry] = rig.lines("certmanager_certificate_expiration")
    assert float(expiry.split()[-1]) == at.timestamp()


def test_series_vanish_with_the_object(rig: Rig) -> None:
    rig.certificates = [WEB]
    assert 'name="web"' in rig.text()

    rig.certificates = []

    assert 'name="web"' not in rig.text()


def test_a_challenge_has_one_series_a_state_and_its_reason_is_cut(rig: Rig) -> None:
    reason = "x" * (LONGEST_REASON + 1)
    rig.challenges = [
        ChallengeSample(namespace="a", name="c", domain="d", type="HTTP-01", state="valid", reason=reason)
    ]

    lines = rig.lines("certmanager_certificate_challenge_status")

    assert len(lines) == 8
    assert [line for line in lines if line.endswith(" 1.0")] == [line for line in lines if 'status="valid"' in line]
    assert f'reason="{reason[:-1]}"' in lines[0]


def test_values_are_escaped(rig: Rig) -> None:
    rig.challenges = [ChallengeSample(namespace="a", name="c", domain="d", type="t", reason='say "no"\n\\')]

    [family] = [
        family
        for family in text_string_to_metric_families(rig.text())
        if family.name == "certmanager_certificate_challenge_status"
    ]

    assert family.samples[0].labels["reason"] == 'say "no"\n\\'


def test_counters_keep_their_names_and_count(rig: Rig) -> None:
    rig.metrics.pass_made("orders")
    rig.metrics.pass_made("orders")

    assert rig.lines("certmanager_controller_sync") == [
        'certmanager_controller_sync_call_count{controller="orders"} 2.0'
    ]


def test_quantiles_are_of_the_last_ten_minutes_and_the_sum_is_of_all(rig: Rig) -> None:
    rig.metrics.acme_request(order_that_took(100))
    rig.clock.advance(timedelta(minutes=11))
    for seconds in range(1, 11):
        rig.metrics.acme_request(order_that_took(seconds))

    values = [float(line.split()[-1]) for line in rig.lines("certmanager_http_acme_client_request_duration")]

    assert values == [6, 10, 10, 155, 11]


def test_quantiles_of_nothing_recent_are_not_a_number(rig: Rig) -> None:
    rig.metrics.acme_request(order_that_took(1))
    rig.clock.advance(timedelta(minutes=11))

    assert [line.split()[-1] for line in rig.lines("certmanager_http_acme_client_request_duration")] == [
        "NaN",
        "NaN",
        "NaN",
        "1.0",
        "1.0",
    ]


def test_durations_are_kept_in_bounds(rig: Rig) -> None:
    for _ in range(MOST_KEPT):
        rig.metrics.acme_request(order_that_took(1))
    for _ in range(MOST_KEPT):
        rig.metrics.acme_request(order_that_took(2))

    [median, *_] = rig.lines("certmanager_http_acme_client_request_duration")
    assert median.endswith(" 2.0")


def test_the_clock_is_ours(rig: Rig) -> None:
    rig.clock.advance(timedelta(days=1))

    [line] = rig.lines("certmanager_clock_time_seconds ")
    assert float(line.split()[-1]) == rig.clock.now().timestamp()


def test_many_objects_come_in_chunks(rig: Rig) -> None:
    rig.issuers = [IssuerSample(namespace="shop", name=str(number)) for number in range(LINES_A_CHUNK)]

    chunks = list(exposition(rig.metrics.collect()))

    assert len(chunks) > 3
    assert b"".join(chunks).endswith(b"\n")


def test_loops_and_the_acme_client_can_be_watched(rig: Rig) -> None:
    loops: LoopObserver = rig.metrics
    client: MetricsHook = rig.metrics.acme_request

    loops.pass_made("orders")
    client(order_that_took(1))

    assert len(rig.lines("certmanager_controller_sync_call_count")) == 1
    assert len(rig.lines("certmanager_http_acme_client_request_count")) == 1


def test_a_duration_counts_in_each_bucket_that_ends_no_earlier(rig: Rig) -> None:
    name = "certmanager_venafi_oauth_token_request_duration_seconds"
    rig.metrics.venafi_token("success", timedelta(seconds=0.5))
    rig.metrics.venafi_token("failure", timedelta(minutes=1))

    counts = {line.split('"')[1]: line.split()[-1] for line in rig.lines(f"{name}_bucket")}
    assert counts == {
        **dict.fromkeys(["0.01", "0.05", "0.1", "0.25"], "0.0"),
        **dict.fromkeys(["0.5", "1.0", "2.5", "5.0", "10.0", "30.0"], "1.0"),
        "+Inf": "2.0",
    }
    assert rig.lines(f"{name}_count") == [f"{name}_count 2.0"]
    assert rig.lines(f"{name}_sum") == [f"{name}_sum 60.5"]
