"""The metrics of the controller: names, labels and types are those of cert-manager 1.21."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from certwright.clock import Clock
from certwright.telemetry.samples import CHALLENGE_STATES, TRUTHS, CertificateSample, IssuerSample, Samples
from certwright.telemetry.series import Counts, Durations, empty_metric

if TYPE_CHECKING:
    from prometheus_client import Histogram
    from prometheus_client.metrics_core import Metric

ACME_LABELS = ("scheme", "host", "action", "method", "status")
TOKEN_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CLOCKS = (
    ("certmanager_clock_time_seconds", "The clock, in seconds since 1970; deprecated, use the gauge.", "counter"),
    ("certmanager_clock_time_seconds_gauge", "The clock, in seconds since 1970.", "gauge"),
)
TIMES: tuple[tuple[str, str, Callable[[CertificateSample], datetime | None]], ...] = (
    (
        "certmanager_certificate_expiration_timestamp_seconds",
        "When the certificate expires, in seconds since 1970.",
        lambda sample: sample.not_after,
    ),
    (
        "certmanager_certificate_not_after_timestamp_seconds",
        "When the certificate stops being valid, in seconds since 1970.",
        lambda sample: sample.not_after,
    ),
    (
        "certmanager_certificate_not_before_timestamp_seconds",
        "When the certificate starts being valid, in seconds since 1970.",
        lambda sample: sample.not_before,
    ),
    (
        "certmanager_certificate_renewal_timestamp_seconds",
        "When the certificate is to be renewed, in seconds since 1970.",
        lambda sample: sample.renewal,
    ),
)


class AcmeRequest(Protocol):
    """One HTTP request to an ACME server, as its client tells of it; status 999 stands for no answer at all."""

    @property
    def scheme(self) -> str:
        """`https`; empty where the address could not be read."""

    @property
    def host(self) -> str:
        """Host and port."""

    @property
    def action(self) -> str:
        """What the client was doing, such as `authorize_order`."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def seconds(self) -> float:
        """How long it took."""


class Metrics:
    """The metrics of the controller."""

    def __init__(self, clock: Clock, samples: Samples | None = None) -> None:
        self._clock = clock
        self._samples = samples or Samples()
        self._passes = Counts("certmanager_controller_sync_call_count", "Passes of a controller.", ("controller",))
        self._faults = Counts("certmanager_controller_sync_error_count", "Failed passes.", ("controller",))
        self._acme = Counts("certmanager_http_acme_client_request_count", "Requests to ACME servers.", ACME_LABELS)
        self._acme_took = Durations(
            "certmanager_http_acme_client_request_duration_seconds", "How long ACME servers took.", ACME_LABELS
        )
        self._venafi_took = Durations(
            "certmanager_http_venafi_client_request_duration_seconds", "How long Venafi took.", ("api_call",)
        )
        self._tokens = Counts("certmanager_venafi_oauth_token_requests_total", "Requests for a token.", ("status",))

    def pass_made(self, controller: str) -> None:
        """A controller looked at one object."""
        self._passes.add((controller,))

    def pass_failed(self, controller: str) -> None:
        """That look ended in a fault; a refused stale write (a conflict) is none."""
        self._faults.add((controller,))

    def acme_request(self, request: AcmeRequest) -> None:
        """An ACME server was asked, and answered or not; this is the hook of the ACME client."""
        labels = (request.scheme, request.host, request.action, request.method, str(request.status))
        self._acme.add(labels)
        self._acme_took.add(labels, timedelta(seconds=request.seconds), self._clock.now())

    def venafi_request(self, api_call: str, took: timedelta) -> None:
        """Venafi was asked."""
        self._venafi_took.add((api_call,), took, self._clock.now())

    def venafi_token(self, status: str, took: timedelta) -> None:
        """Venafi was asked for an OAuth token."""
        self._tokens.add((status,))
        self._token_took.observe(took.total_seconds())

    def collect(self) -> Iterator[Metric]:
        """Everything, as of now."""
        yield from self._token_took.collect()
        yield from self._of_clock()
        yield from self._of_certificates()
        yield self._of_challenges()
        yield _ready("certmanager_issuer_ready_status", "The ready status of the Issuer.", self._samples.issuers())
        yield _ready(
            "certmanager_clusterissuer_ready_status",
            "The ready status of the ClusterIssuer.",
            self._samples.cluster_issuers(),
        )
        for counts in (self._passes, self._faults, self._acme, self._tokens):
            yield counts.metric()
        for durations in (self._acme_took, self._venafi_took):
            yield durations.metric(self._clock.now())

    @cached_property
    def _token_took(self) -> Histogram:
        from prometheus_client import Histogram

        return Histogram(
            "certmanager_venafi_oauth_token_request_duration_seconds",
            "How long Venafi took to give a token.",
            registry=None,
            buckets=TOKEN_BUCKETS,
        )

    def _of_clock(self) -> Iterator[Metric]:
        now = self._clock.now().timestamp()
        for name, words, kind in CLOCKS:
            metric = empty_metric(name, words, kind)
            metric.add_sample(name, {}, now)
            yield metric

    def _of_certificates(self) -> Iterator[Metric]:
        samples = tuple(self._samples.certificates())
        yield _ready("certmanager_certificate_ready_status", "The ready status of the certificate.", samples)
        for name, words, of in TIMES:
            metric = empty_metric(name, words, "gauge")
            for sample in samples:
                at = of(sample)
                metric.add_sample(name, sample.labels, at.timestamp() if at else 0)
            yield metric

    def _of_challenges(self) -> Metric:
        name = "certmanager_certificate_challenge_status"
        metric = empty_metric(name, "The status of certificate challenges", "gauge")
        for sample in self._samples.challenges():
            for state in CHALLENGE_STATES:
                metric.add_sample(name, {**sample.labels, "status": state}, float(sample.state == state))
        return metric


def _ready(name: str, words: str, samples: Iterable[CertificateSample] | Iterable[IssuerSample]) -> Metric:
    metric = empty_metric(name, words, "gauge")
    for sample in samples:
        for truth in TRUTHS:
            metric.add_sample(name, {**sample.labels, "condition": truth}, float(sample.ready == truth))
    return metric
