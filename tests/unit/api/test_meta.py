"""JSON names, the codec, times and durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.api.certmanager_v1 import Certificate, CertificateStatus, JKSKeystore, PKCS12Keystore
from certwright.api.core import EndpointSlice, LeaseSpec, Secret
from certwright.api.meta import (
    Condition,
    MalformedObject,
    MicroTime,
    ObjectMeta,
    decode,
    encode,
    format_duration,
    from_json,
    json_name,
    parse_duration,
    to_json,
)

CERTIFICATE = (
    b'{"apiVersion":"cert-manager.io/v1","kind":"Certificate",'
    b'"metadata":{"name":"a","managedFields":[{"manager":"x"}],"creationTimestamp":null},'
    b'"spec":{"secretName":"s","issuerRef":{"name":"i"},"isCA":true,"dnsNames":["a"],"unknown":{"x":1}}}'
)


@pytest.mark.parametrize(
    ("python", "json"),
    [
        ("dns_names", "dnsNames"),
        ("is_ca", "isCA"),
        ("role_id", "roleId"),
        ("client_id", "clientID"),
        ("cloud_dns", "cloudDNS"),
        ("ca_bundle", "caBundle"),
        ("utf8_value", "utf8Value"),
        ("gateway_http_route", "gatewayHTTPRoute"),
        ("issuing_certificate_urls", "issuingCertificateURLs"),
        ("uid", "uid"),
    ],
)
def test_json_names_are_those_of_kubernetes(python: str, json: str) -> None:
    assert json_name(python) == json


def test_unknown_fields_and_managed_fields_fall_away() -> None:
    certificate = decode(Certificate, CERTIFICATE)

    assert certificate.spec.dns_names == ("a",)
    assert certificate.spec.is_ca
    assert encode(certificate) == (
        b'{"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"a"},'
        b'"spec":{"dnsNames":["a"],"secretName":"s","issuerRef":{"name":"i"},"isCA":true},"status":{}}'
    )


def test_both_doors_read_the_same_object() -> None:
    certificate = decode(Certificate, CERTIFICATE)

    assert from_json(Certificate, to_json(certificate)) == certificate


def test_a_misfit_is_named_by_its_path() -> None:
    with pytest.raises(MalformedObject, match=r"readable Certificate: .*\$\.spec\.secretName"):
        decode(Certificate, b'{"spec":{"secretName":1}}')


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"spec":"\xff"}', b'{"metadata":' * 5000])
def test_garbage_is_a_malformed_object(data: bytes) -> None:
    with pytest.raises(MalformedObject):
        decode(Certificate, data)


def test_times_are_written_in_utc_and_whole_seconds() -> None:
    berlin = timezone(timedelta(hours=1))
    changed = datetime(2026, 11, 24, 4, 14, 45, 999_999, tzinfo=berlin)
    status = CertificateStatus(conditions=(Condition(type="Ready", status="True", last_transition_time=changed),))

    assert to_json(status) == {
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T03:14:45Z"}]
    }


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        encode(CertificateStatus(not_after=datetime(2026, 1, 1)))  # noqa: DTZ001  the point of the test


def test_micro_times_always_have_six_digits() -> None:
    spec = LeaseSpec(renew_time=MicroTime.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))

    written = encode(spec)

    assert written == b'{"renewTime":"2026-01-02T03:04:05.000000Z"}'
    assert decode(LeaseSpec, written) == spec


def test_the_server_writes_empty_endpoint_lists_as_null() -> None:
    found = decode(EndpointSlice, b'{"addressType":"IPv4","endpoints":null,"ports":null}')

    assert found.endpoints is None
    assert found.ports is None


@pytest.mark.parametrize(
    "holder",
    [
        Secret(metadata=ObjectMeta(name="a"), data={"tls.key": b"hunter2"}),
        JKSKeystore(create=True, password="hunter2"),
        PKCS12Keystore(create=True, password="hunter2"),
    ],
)
def test_reprs_hide_secrets(holder: Secret | JKSKeystore | PKCS12Keystore) -> None:
    assert "hunter2" not in repr([holder])
    assert "hunter2" not in repr(holder.__rich_repr__())


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
        ("2160h", timedelta(days=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1h0m0s", timedelta(hours=1)),
        ("1.5s", timedelta(seconds=1.5)),
        (".5h", timedelta(minutes=30)),
        ("-1m", timedelta(minutes=-1)),
        ("+1m", timedelta(minutes=1)),
        ("300ms", timedelta(milliseconds=300)),
        ("1µs", timedelta(microseconds=1)),
        ("1μs", timedelta(microseconds=1)),
        ("1999ns", timedelta(microseconds=1)),
    ],
)
def test_go_durations_are_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "-", "1", "h", ".h", "1x", "1 h", "--1h", "1h-1m", "90d", "3000000h", "1h" * 200])
def test_what_go_refuses_is_refused_with_advice(text: str) -> None:
    with pytest.raises(ValueError, match=r"write numbers with units|use the units|too long"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(days=90), "2160h0m0s"),
        (timedelta(minutes=30), "30m0s"),
        (timedelta(hours=1, seconds=1.5), "1h0m1.5s"),
        (timedelta(microseconds=1), "1µs"),
        (timedelta(microseconds=1_500), "1.5ms"),
        (timedelta(seconds=-90), "-1m30s"),
    ],
)
def test_durations_are_written_as_go_does(length: timedelta, text: str) -> None:
    assert format_duration(length) == text


@settings(max_examples=200)
@given(st.timedeltas(min_value=timedelta(days=-90_000), max_value=timedelta(days=90_000)))
def test_what_is_written_is_read_back(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length
