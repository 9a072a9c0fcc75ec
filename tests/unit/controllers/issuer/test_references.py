"""Which issuers a Secret concerns."""

from __future__ import annotations

from certwright.api import certmanager_v1 as cm
from certwright.api.issuer_types import CAIssuer
from certwright.api.meta import ObjectMeta
from certwright.controllers.issuer.references import SecretUses
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.hub import HubIssuer, modern_issuer


def issuer(secret: str) -> HubIssuer:
    spec = cm.IssuerSpec(ca=CAIssuer(secret_name=secret))
    return modern_issuer(cm.Issuer(metadata=ObjectMeta(name="ca", namespace="ns"), spec=spec))


def cluster_issuer(secret: str) -> HubIssuer:
    spec = cm.IssuerSpec(ca=CAIssuer(secret_name=secret))
    return modern_issuer(cm.ClusterIssuer(metadata=ObjectMeta(name="ca"), spec=spec))


def test_secrets_are_looked_for_where_the_issuer_has_them() -> None:
    uses = SecretUses()
    uses.note(issuer("pair"), "kube-system")
    uses.note(cluster_issuer("pair"), "kube-system")

    assert uses.of(ObjectKey("ns", "pair")) == (issuer("pair").key,)
    assert uses.of(ObjectKey("kube-system", "pair")) == (cluster_issuer("pair").key,)
    assert uses.of(ObjectKey("other", "pair")) == ()


def test_what_an_issuer_no_longer_names_concerns_it_no_more() -> None:
    uses = SecretUses()
    uses.note(issuer("old"), "kube-system")
    uses.note(issuer("new"), "kube-system")

    assert uses.of(ObjectKey("ns", "old")) == ()
    assert uses.of(ObjectKey("ns", "new")) == (issuer("new").key,)
    uses.forget(issuer("new").key)
    assert uses.of(ObjectKey("ns", "new")) == ()
