"""Objects that cert-manager 1.21.1 wrote on a real cluster pass through our Structs without loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from certwright.api.acme_v1 import Challenge, Order
from certwright.api.certmanager_v1 import Certificate, CertificateRequest, ClusterIssuer, Issuer
from certwright.api.core import Ingress, Secret
from certwright.api.meta import decode, from_json, to_json

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
KINDS: dict[str, type[Struct]] = {
    kind.__name__: kind
    for kind in (Certificate, CertificateRequest, Issuer, ClusterIssuer, Order, Challenge, Secret, Ingress)
}
Plain = dict[str, Any]  # decoded golden files


def golden_objects() -> list[Plain]:
    if not GOLDEN.exists():
        pytest.skip("needs the golden objects beside the checkout")
    texts = [(GOLDEN / name).read_text() for name in ("settled.json", "acme-in-flight.json")]
    return [item for text in texts for item in json.loads(text)["items"] if item["kind"] in KINDS]


def without_noise(value: object) -> object:
    """Empty values left out: absent, empty string, empty list and empty object mean the same."""
    if isinstance(value, dict):
        kept = {key: without_noise(item) for key, item in value.items() if key != "managedFields"}
        return {key: item for key, item in kept.items() if item not in ({}, [], "", False, None)}
    if isinstance(value, list):
        return [without_noise(item) for item in value]
    return value


def test_nothing_is_lost() -> None:
    for found in golden_objects():
        struct = from_json(KINDS[found["kind"]], found)

        assert without_noise(to_json(struct)) == without_noise(found)


def test_bytes_and_json_are_read_alike() -> None:
    for found in golden_objects():
        kind = KINDS[found["kind"]]

        assert decode(kind, json.dumps(found).encode()) == from_json(kind, found)
