from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from certwright.acme.protocol.messages import (
    Authorization,
    Directory,
    Identifier,
    NewOrder,
    Order,
    RenewalInfo,
    Status,
    read_message,
)

# RFC 8555 section 7.1.3
ORDER = b"""{
  "status": "valid", "expires": "2016-01-20T14:09:07.99Z",
  "identifiers": [{"type": "dns", "value": "www.example.org"}, {"type": "dns", "value": "example.org"}],
  "notBefore": "2016-01-01T00:00:00Z", "notAfter": "2016-01-08T00:00:00Z",
  "authorizations": ["https://example.com/acme/authz/PAniVnsZcis", "https://example.com/acme/authz/r4HqLzrSrpI"],
  "finalize": "https://example.com/acme/order/TOlocE8rfgo/finalize",
  "certificate": "https://example.com/acme/cert/mAt3xBGaobw"
}"""


def test_the_order_of_rfc_8555() -> None:
    order = read_message(ORDER, Order)

    assert order.status == Status.VALID
    assert order.expires == datetime(2016, 1, 20, 14, 9, 7, 990000, tzinfo=UTC)
    assert [identifier.value for identifier in order.identifiers] == ["www.example.org", "example.org"]
    assert order.certificate == "https://example.com/acme/cert/mAt3xBGaobw"


def test_null_means_absent_and_unknown_members_are_ignored() -> None:
    body = b"""{"newNonce": "n", "newAccount": "a", "newOrder": "o", "renewalInfo": null, "later": 1,
      "meta": {"website": null}}"""

    directory = read_message(body, Directory)

    assert directory.renewal_info == ""
    assert directory.meta.website == ""


def test_challenges_of_unknown_types_are_kept() -> None:
    body = b"""{"status": "pending", "identifier": {"type": "dns", "value": "a"},
      "challenges": [{"type": "x-99", "url": "u"}]}"""

    challenge = read_message(body, Authorization).challenges[0]

    assert (challenge.type, challenge.status, challenge.token) == ("x-99", Status.PENDING, "")


def test_the_renewal_information_of_rfc_9773() -> None:
    body = b"""{"suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
      "explanationURL": "https://acme.example.com/docs/ari"}"""

    found = read_message(body, RenewalInfo)

    assert found.suggested_window.end == datetime(2025, 1, 3, 4, tzinfo=UTC)
    assert found.explanation_url == "https://acme.example.com/docs/ari"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"status": 1}', b'{"status": "x"}', b"[" * 100_000, b"\xff"])
def test_what_is_no_order_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(ValueError, match="the server's answer is not an ACME order"):
        read_message(body, Order)


def test_only_what_is_asked_for_is_sent() -> None:
    wanted = NewOrder((Identifier("dns", "a.test"),), not_after=datetime(2026, 1, 1, tzinfo=UTC))

    assert msgspec.json.decode(msgspec.json.encode(wanted)) == {
        "identifiers": [{"type": "dns", "value": "a.test"}],
        "notAfter": "2026-01-01T00:00:00Z",
    }
