"""Canonical quantities."""

from __future__ import annotations

import pytest

from certwright.api.quantity import canonical_quantity


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0.5", "500m"),
        (".5", "500m"),
        ("1.500", "1.500"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("64Mi", "64Mi"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("0.5Mi", "512Ki"),
        ("1e3", "1e3"),
        ("1e-3", "1e-3"),
        ("10E", "10E"),
        ("0.1n", "1n"),
        ("-1.5", "-1500m"),
        ("0", "0"),
        ("lots", "lots"),
        ("1Gii", "1Gii"),
    ],
)
def test_quantities_are_written_as_go_does(text: str, canonical: str) -> None:
    assert canonical_quantity(text) == canonical
