"""What HTTP-01 is told of a challenge."""

from __future__ import annotations

import ipaddress

from msgspec import Struct

from certwright.api.acme_v1 import HTTP01
from certwright.api.meta import OwnerReference

WELL_KNOWN = "/.well-known/acme-challenge/"


class Http01Challenge(Struct, frozen=True, kw_only=True):
    """What is to be proved, and how: `key` is the Challenge's `spec.key`, the key authorization.

    `owner` names the Challenge; the objects that are made in `namespace` go with it. `legacy` says that a Certificate
    of certmanager.k8s.io is behind it, `in_pod` that a solver Pod answers in the place of the shared responder.
    """

    namespace: str
    owner: OwnerReference
    identifier: str
    token: str
    key: str
    solver: HTTP01
    legacy: bool = False
    in_pod: bool = False

    @property
    def has_pod_template(self) -> bool:
        """Whether the issuer shapes the solver Pod: then it wants one."""
        way = self.solver.ingress or self.solver.gateway_http_route
        return way is not None and way.pod_template is not None

    @property
    def path(self) -> str:
        """Where the CA asks (RFC 8555 section 8.3)."""
        return WELL_KNOWN + self.token

    @property
    def host(self) -> str:
        """The host in rules of Ingresses and routes: empty for an IP address, which they cannot name."""
        return "" if is_ip_address(self.identifier) else self.identifier


def is_ip_address(text: str) -> bool:
    """Whether the identifier is an IP address, v4 or v6 without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
