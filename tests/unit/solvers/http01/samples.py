"""Challenges for the HTTP-01 tests."""

from __future__ import annotations

from certwright.api.acme_v1 import HTTP01, HTTP01Ingress
from certwright.api.meta import OwnerReference
from certwright.solvers.http01.challenge import Http01Challenge

TOKEN = "7ME7Xy8rfYYpPbe4jb3mQbjhY28-mIhZPzpC06C1wx0"
KEY = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
PLAIN = HTTP01(ingress=HTTP01Ingress())


def owner_of(name: str, uid: str = "") -> OwnerReference:
    """A Challenge as the owner of what is made for it."""
    return OwnerReference(
        api_version="acme.cert-manager.io/v1",
        kind="Challenge",
        name=name,
        uid=uid or f"uid-of-{name}",
        controller=True,
        block_owner_deletion=True,
    )


def challenge(
    identifier: str = "http.bench.test",
    solver: HTTP01 = PLAIN,
    *,
    namespace: str = "golden",
    owner: OwnerReference | None = None,
    legacy: bool = False,
) -> Http01Challenge:
    """One whose token and key are always the same."""
    return Http01Challenge(
        namespace=namespace,
        owner=owner or owner_of("one"),
        identifier=identifier,
        token=TOKEN,
        key=KEY,
        solver=solver,
        legacy=legacy,
    )
