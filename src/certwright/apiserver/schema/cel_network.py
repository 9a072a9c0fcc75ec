"""Addresses, networks and URLs in rules: `ip`, `cidr`, `url` and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, parse_qs, urlsplit

from certwright.apiserver.schema.cel_declare import Signatures

_IP, _CIDR, _URL = "net.IP", "net.CIDR", "kubernetes.URL"
Address = IPv4Address | IPv6Address


def declare(found: Signatures) -> None:
    """Declare all functions of addresses, networks and URLs."""
    _addresses(found)
    _networks(found)
    _urls(found)


def _is(read: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return check


def _address(text: str) -> Address:
    found = ip_address(text)
    if "%" in text:
        raise ValueError(f"IP Address {text!r} with zone value is not allowed")
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        raise ValueError(f"IPv4-mapped IPv6 address {text!r} is not allowed")
    return found


def _of(value: dict[str, str], kind: str) -> str:
    if kind not in value:
        raise ValueError("no such overload")
    return value[kind]


def _addresses(found: Signatures) -> None:
    found.function("ip(string) map", lambda text: {_IP: str(_address(text))})
    found.function("isIP(string) bool", _is(_address))
    found.function("ip.isCanonical(string) bool", lambda text: str(_address(text)) == text)
    found.member("family(map) int", lambda ip: _address(_of(ip, _IP)).version)
    found.member("isUnspecified(map) bool", lambda ip: _address(_of(ip, _IP)).is_unspecified)
    found.member("isLoopback(map) bool", lambda ip: _address(_of(ip, _IP)).is_loopback)
    found.member("isLinkLocalMulticast(map) bool", lambda ip: _is_link_local_multicast(_address(_of(ip, _IP))))
    found.member("isLinkLocalUnicast(map) bool", lambda ip: _address(_of(ip, _IP)).is_link_local)
    found.member("isGlobalUnicast(map) bool", lambda ip: _is_global_unicast(_address(_of(ip, _IP))))
    found.function("string(map) string", lambda value: next(iter(value.values())))


def _is_link_local_multicast(address: Address) -> bool:
    network = "224.0.0.0/24" if address.version == 4 else "ff02::/16"
    return address in ip_network(network)


def _is_global_unicast(address: Address) -> bool:
    # Go's meaning: private addresses are of that kind too.
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and address != IPv4Address("255.255.255.255")


def _network(text: str) -> tuple[Address, int]:
    address, slash, length = text.partition("/")
    if not slash or not (length.isascii() and length.isdigit()) or (len(length) > 1 and length.startswith("0")):
        raise ValueError(f"network address parse error during conversion from string: {text!r}")
    ip_network(f"{address}/{length}", strict=False)
    return _address(address), int(length)


def _networks(found: Signatures) -> None:
    found.function("cidr(string) map", lambda text: {_CIDR: "{}/{}".format(*_network(text))})
    found.function("isCIDR(string) bool", _is(_network))
    found.member("containsIP(map, string) bool", lambda cidr, text: _holds(cidr, str(_address(text))))
    found.member("containsIP(map, map) bool", lambda cidr, ip: _holds(cidr, _of(ip, _IP)))
    found.member("containsCIDR(map, string) bool", _covers)
    found.member("containsCIDR(map, map) bool", lambda cidr, other: _covers(cidr, _of(other, _CIDR)))
    found.member("ip(map) map", lambda cidr: {_IP: _of(cidr, _CIDR).partition("/")[0]})
    found.member("masked(map) map", lambda cidr: {_CIDR: str(ip_network(_of(cidr, _CIDR), strict=False))})
    found.member("prefixLength(map) int", lambda cidr: int(_of(cidr, _CIDR).partition("/")[2]))


def _holds(cidr: dict[str, str], address: str) -> bool:
    return ip_address(address) in ip_network(_of(cidr, _CIDR), strict=False)


def _covers(cidr: dict[str, str], text: str) -> bool:
    address, length = _network(text)
    return _holds(cidr, str(address)) and int(_of(cidr, _CIDR).partition("/")[2]) <= length


def _parts(text: str) -> SplitResult:
    parts = urlsplit(text)
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError(f"URL parse error during conversion from string: {text!r} holds a control character")
    if not text.startswith("/") and not (parts.scheme and (parts.netloc or parts.path or parts.query)):
        raise ValueError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    parts.port  # noqa: B018 - raises for a port that is no number
    return parts


def _url(text: str) -> dict[str, str]:
    _parts(text)
    return {_URL: text}


def _urls(found: Signatures) -> None:
    def part(read: Callable[[SplitResult], object]) -> Callable[[dict[str, str]], object]:
        return lambda url: read(_parts(_of(url, _URL)))

    found.function("url(string) map", _url)
    found.function("isURL(string) bool", _is(_parts))
    found.member("getScheme(map) string", part(lambda parts: parts.scheme))
    found.member("getHost(map) string", part(lambda parts: parts.netloc.rpartition("@")[2]))
    found.member("getHostname(map) string", part(lambda parts: parts.hostname or ""))
    found.member("getPort(map) string", part(lambda parts: "" if parts.port is None else str(parts.port)))
    found.member("getEscapedPath(map) string", part(lambda parts: parts.path))
    found.member("getQuery(map) map", part(lambda parts: parse_qs(parts.query, keep_blank_values=True)))
