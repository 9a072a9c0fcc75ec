"""`--controllers`: cert-manager's names, of which several are one controller here."""

from __future__ import annotations

from collections.abc import Iterable

from certwright.app.running import ProcessError

ISSUER_TYPES = ("acme", "ca", "selfsigned", "vault", "venafi")
STEPS = ("trigger", "issuing", "key-manager", "request-manager", "readiness", "revision-manager", "metrics")
REQUESTS = ("certificaterequests-approver", *(f"certificaterequests-issuer-{kind}" for kind in ISSUER_TYPES))
NAMES = {
    "legacy": ("legacy",),
    "issuers": ("issuers", "clusterissuers"),
    "certificates": tuple(f"certificates-{step}" for step in STEPS),
    "certificaterequests": REQUESTS,
    "issuer-kinds": REQUESTS,
    "orders": ("orders",),
    "challenges": ("challenges",),
}
"""Each controller of ours with cert-manager's names for its parts."""
NOT_HERE = (
    "ingress-shim",
    "gateway-shim",
    "listenerset",
    *(f"certificatesigningrequests-issuer-{kind}" for kind in ISSUER_TYPES),
)
"""Known to cert-manager, not served here yet: they may be named, so that a command line can be kept."""


def chosen(words: Iterable[str]) -> frozenset[str]:
    """Our controllers that the words ask for: names, `*` for all, `-name` to leave one out; `ProcessError` otherwise.

    A controller runs where any of its parts is asked for: the parts of one object's life are one pass here.
    """
    known = {name for names in NAMES.values() for name in names} | set(NOT_HERE)
    wanted: set[str] = set()
    for word in words:
        name = word.removeprefix("-")
        if name != "*" and name not in known:
            raise ProcessError(f"--controllers: {name!r} is no controller; known are {', '.join(sorted(known))}")
        named = known if name == "*" else {name}
        wanted = wanted - named if word.startswith("-") else wanted | named
    return frozenset(ours for ours, names in NAMES.items() if wanted & set(names))
