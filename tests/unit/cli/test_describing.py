"""The text of `kubectl describe`, whose form was taken from kubectl itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from certwright.api.core import Event, EventSource, InvolvedObject
from certwright.api.meta import JSONObject
from certwright.cli.describing import describe, label_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ISSUER: JSONObject = {
    "apiVersion": "certmanager.k8s.io/v1alpha1",
    "kind": "ClusterIssuer",
    "metadata": {"name": "cert-demo", "uid": "u-1", "generation": 1, "managedFields": [{"manager": "x"}]},
    "spec": {"acme": {"dns01": {"providers": [{"name": "cf-dns"}]}, "skipTLSVerify": False}},
    "status": {
        "acme": {"uri": "https://ca.test/acct/1"},
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "ACMEAccountRegistered",
                "message": "The ACME account was registered with the ACME server",
                "lastTransitionTime": "2026-01-01T11:00:00Z",
            }
        ],
    },
}


def event(reason: str, age: timedelta, count: int = 1) -> Event:
    return Event(
        involved_object=InvolvedObject(kind="Certificate"),
        type="Normal",
        reason=reason,
        message=f"{reason} happened",
        source=EventSource(component="cert-manager"),
        first_timestamp=NOW - age * count,
        last_timestamp=NOW - age,
        count=count,
    )


def test_an_object_without_events() -> None:
    text = describe(ISSUER, [], NOW)

    assert (
        text
        == """\
Name:         cert-demo
Namespace:
Labels:       <none>
Annotations:  <none>
API Version:  certmanager.k8s.io/v1alpha1
Kind:         ClusterIssuer
Metadata:
  Generation:  1
  UID:         u-1
Spec:
  Acme:
    dns01:
      Providers:
        Name:         cf-dns
    Skip TLS Verify:  false
Status:
  Acme:
    Uri:  https://ca.test/acct/1
  Conditions:
    Last Transition Time:  2026-01-01T11:00:00Z
    Message:               The ACME account was registered with the ACME server
    Reason:                ACMEAccountRegistered
    Status:                True
    Type:                  Ready
Events:                    <none>
"""
    )


def test_events_are_a_table_in_order_of_time() -> None:
    events = [event("CertIssued", timedelta(seconds=13)), event("CreateOrder", timedelta(seconds=16), count=2)]

    text = describe(ISSUER, events, NOW)

    assert (
        text.partition("Events:\n")[2]
        == """\
  Type    Reason       Age                From          Message
  ----    ------       ----               ----          -------
  Normal  CreateOrder  16s (x2 over 32s)  cert-manager  CreateOrder happened
  Normal  CertIssued   13s                cert-manager  CertIssued happened
"""
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("lastTransitionTime", "Last Transition Time"),
        ("apiKeySecretRef", "API Key Secret Ref"),
        ("dns01", "dns01"),
        ("uid", "UID"),
        ("caBundle", "Ca Bundle"),
        ("dnsNames", "Dns Names"),
        ("certificate-name", "Certificate - Name"),
    ],
)
def test_labels(name: str, label: str) -> None:
    assert label_of(name) == label
