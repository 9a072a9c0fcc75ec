"""How an ACME server is reached."""

from __future__ import annotations

import os
import platform
import ssl
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from msgspec import Struct, field
from yarl import URL


class TransportOptions(Struct, frozen=True, kw_only=True):
    """`connect_to` maps `host:port` to the `host:port` that is connected to; URL, SNI and Host header stay the same.

    `ca_bundle_pem`, where given, is trusted instead of the system's certificates.
    """

    ca_bundle_pem: bytes = b""
    skip_tls_verify: bool = False
    connect_to: dict[str, str] = field(default_factory=dict)
    proxies_from_environment: bool = True
    user_agent: str = f"certwright ({platform.system().lower()}/{platform.machine()})"
    timeout: timedelta = timedelta(seconds=90)


def tls_context(options: TransportOptions) -> ssl.SSLContext:
    """Raises `ValueError` where the CA bundle holds no certificate."""
    try:
        # Without `cadata` this loads the system's certificates, with it only those.
        context = ssl.create_default_context(cadata=options.ca_bundle_pem.decode("ascii") or None)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ValueError("the CA bundle holds no certificate that can be read; it must be PEM") from error
    # Go, which others use, neither asks for the extensions of VERIFY_X509_STRICT nor for a self-signed anchor.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if options.skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def proxy_for(url: URL, environment: Mapping[str, str] = os.environ) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for `url`; loopback is never proxied."""
    settings = {name.lower(): value for name, value in sorted(environment.items()) if value}
    proxy = settings.get(f"{url.scheme}_proxy")
    host = url.host or ""
    exceptions = [entry.strip().lower() for entry in settings.get("no_proxy", "").split(",") if entry.strip()]
    address = _address(host)
    if host == "localhost" or (address and address.is_loopback):
        return None
    if any(_covers(entry, host, address) for entry in exceptions):
        return None
    return proxy


def _covers(entry: str, host: str, address: IPv4Address | IPv6Address | None) -> bool:
    if entry == "*":
        return True
    if address is not None:
        try:
            return address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name = entry.removeprefix("*").lstrip(".")
    return host.lower() == name or host.lower().endswith(f".{name}")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
