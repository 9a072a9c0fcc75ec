"""Nameservers as users write them; the other rules of solvers are rows of the samples of issuers."""

from __future__ import annotations

import pytest

from certwright.rules.solver_validation import is_nameserver


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "8.8.8.8:53", "8.8.8.8:", "ns.example", "ns.example:5353", "[2001:db8::1]:53", "2001:db8::1", " a "],
)
def test_nameservers(text: str) -> None:
    assert is_nameserver(text)


@pytest.mark.parametrize("text", ["", ":53", "a:b", "a:0", "a:65536", "[2001:db8::1", "[a]:53", "a b", "http://a"])
def test_no_nameservers(text: str) -> None:
    assert not is_nameserver(text)
