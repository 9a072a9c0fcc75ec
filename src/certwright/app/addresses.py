"""Under which addresses this process can be reached from the cluster."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Mapping

from yarl import URL


def own_addresses(environ: Mapping[str, str], server: str) -> tuple[str, ...]:
    """The Pod's addresses where the Pod was told them (`POD_IPS`, `POD_IP`), else the one that the API server sees.

    Loopback addresses are left out, for EndpointSlices refuse them: then there is none.
    """
    told = environ.get("POD_IPS") or environ.get("POD_IP") or _towards(server)
    found = (address.strip() for address in told.split(","))
    return tuple(address for address in found if address and not ipaddress.ip_address(address).is_loopback)


def _towards(server: str) -> str:
    """The local address of a route to the server; a datagram socket finds it without sending anything."""
    url = URL(server)
    if not url.host:
        return ""
    with contextlib.suppress(OSError):
        family, kind, _, _, address = socket.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    return ""
