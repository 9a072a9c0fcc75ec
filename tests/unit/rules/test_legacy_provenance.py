"""Whoever moves from the legacy group to v1, or back, under one name has no certificate issued anew for that."""

from __future__ import annotations

import pytest

from certwright.api.meta import ObjectReference
from certwright.rules.defaults import is_same_issuer


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("i", "", ""), ("i", "Issuer", "certmanager.k8s.io"), True),
        (("i", "ClusterIssuer", "certmanager.k8s.io"), ("i", "ClusterIssuer", "cert-manager.io"), True),
        (("i", "Issuer", "certmanager.k8s.io"), ("i", "ClusterIssuer", "certmanager.k8s.io"), False),
        (("i", "Issuer", "certmanager.k8s.io"), ("j", "Issuer", "certmanager.k8s.io"), False),
        (("i", "Issuer", "certmanager.k8s.io"), ("i", "Issuer", "example.com"), False),
    ],
)
def test_our_two_groups_count_as_one(one: tuple[str, str, str], other: tuple[str, str, str], same: bool) -> None:
    first, second = (ObjectReference(name=name, kind=kind, group=group) for name, kind, group in (one, other))

    assert is_same_issuer(first, second) is same
