"""Equal parts of what is kept are one object."""

from __future__ import annotations

from datetime import UTC, datetime

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import decode, encode
from certwright.cluster.sharing import shared

TEXT = b"""{"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "web", "namespace": "shop",
"annotations": {"team": "blue"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
"spec": {"secretName": "web", "dnsNames": ["web.example.com"], "issuerRef": {"name": "ca", "kind": "Issuer"}},
"status": {"notBefore": "2026-01-01T00:00:00Z"}}"""


def test_two_objects_share_what_is_equal_in_them() -> None:
    one, other = (shared(decode(cm.Certificate, TEXT)) for _ in range(2))

    assert one.spec.issuer_ref is other.spec.issuer_ref
    assert one.metadata.labels is other.metadata.labels
    assert one.status.not_before is other.metadata.creation_timestamp
    assert one.metadata.name is other.spec.secret_name


def test_nothing_of_an_object_changes() -> None:
    found = decode(cm.Certificate, TEXT)

    kept = shared(found)

    assert kept == found
    assert encode(kept) == encode(found)
    assert kept.status.not_before == datetime(2026, 1, 1, tzinfo=UTC)
