"""Which proxy a URL is fetched through."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from msgspec import Struct
from yarl import URL


class Proxies(Struct, frozen=True):
    """Which proxy a URL is fetched through, from the usual environment variables."""

    http: str = ""
    https: str = ""
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Proxies:
        """Read `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; the lower-case form wins where both are set."""

        def read(name: str) -> str:
            return environ.get(name.lower()) or environ.get(name.upper(), "")

        exceptions = tuple(word.strip().lower() for word in read("no_proxy").split(",") if word.strip())
        return cls(read("http_proxy"), read("https_proxy"), exceptions)

    def for_url(self, url: URL) -> str | None:
        """The proxy for this URL, None for a direct connection; loopback is always direct."""
        host = (url.host or "").lower().rstrip(".")
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return None
        if any(_covers(rule, host, url.port) for rule in self.exceptions):
            return None
        return {"http": self.http, "https": self.https}.get(url.scheme) or None

    def __repr__(self) -> str:
        # Proxy URLs may hold credentials.
        return f"Proxies(http={_bare(self.http)!r}, https={_bare(self.https)!r}, exceptions={self.exceptions!r})"


def _bare(url: str) -> str:
    return url.rpartition("@")[2]


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _covers(rule: str, host: str, port: int | None) -> bool:
    if rule == "*":
        return True
    if "/" in rule:
        address = _address(host)
        return address is not None and _network_holds(rule, address)
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit() and (":" not in name or name.endswith("]")):
        if int(wanted) != port:
            return False
        rule = name
    rule = rule.strip("[]").removeprefix("*")
    return host == rule.removeprefix(".") or host.endswith("." + rule.removeprefix("."))


def _network_holds(rule: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False
