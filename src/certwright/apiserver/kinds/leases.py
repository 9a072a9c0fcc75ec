"""Lease, with which one of several processes leads."""

from __future__ import annotations

from certwright.apiserver.definition import Column, Hooks
from certwright.apiserver.kinds.build import Kind, columns
from certwright.apiserver.kinds.dsl import fields, number, root, text, time
from certwright.apiserver.objects import child
from certwright.apiserver.schema.causes import Cause, forbidden, invalid
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import LEASES


def _lease_faults(obj: JSONObject, _old: JSONObject | None) -> list[Cause]:
    spec = child(obj, "spec")
    found: list[Cause] = []
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if isinstance(seconds, int) and seconds <= 0:
        found.append(invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    if isinstance(transitions, int) and transitions < 0:
        found.append(invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    if spec.get("preferredHolder") and not spec.get("strategy"):
        found.append(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"))
    return found


LEASE = Kind(
    resource=LEASES,
    schema=root(
        "A claim that one holder renews.",
        spec=fields(
            "The claim.",
            holderIdentity=text("Who holds the lease."),
            leaseDurationSeconds=number("Seconds after which others may take the lease."),
            acquireTime=time("When the holder took the lease."),
            renewTime=time("When the holder last renewed the lease."),
            leaseTransitions=number("How often the holder changed."),
            strategy=text("How a coordinated election picks the holder."),
            preferredHolder=text("Who should take the lease over."),
        ),
    ),
    columns=columns(Column("Holder", cell=lambda obj, _now: child(obj, "spec").get("holderIdentity") or "")),
    hooks=Hooks(faults=_lease_faults),
)
KINDS = (LEASE,)
