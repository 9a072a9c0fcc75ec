"""The address of a nameserver as users write it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket

from msgspec import Struct

PORT = 53


class Nameserver(Struct, frozen=True):
    """A host name or IP address, and a port."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_nameserver(text: str) -> Nameserver:
    """Read `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; ValueError says what is wrong."""
    text = text.strip()
    if _is_ipv6(text):
        return Nameserver(text)
    found = re.fullmatch(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^\[\]:\s]*))(?::(?P<port>[0-9]{0,5}))?", text)
    host = found and (found["v6"] if found["v6"] is not None else found["host"])
    if found is None or not host or (found["v6"] is not None and not _is_ipv6(host)):
        raise ValueError(f"{text!r} is no nameserver; write host, host:port, or [IPv6 address]:port")
    port = int(found["port"] or PORT)
    if not 0 < port < 65536:
        raise ValueError(f"{text!r} has a port that does not exist; write a port from 1 to 65535")
    return Nameserver(host, port)


async def addresses(server: Nameserver) -> list[str]:
    """The IP addresses of the server, by the system's resolver where it is a name; OSError where it has none."""
    try:
        return [str(ipaddress.ip_address(server.host))]
    except ValueError:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
