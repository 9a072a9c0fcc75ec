"""How an ACME server is reached."""

from __future__ import annotations

import platform
from datetime import timedelta

from msgspec import Struct, field


class TransportOptions(Struct, frozen=True, kw_only=True):
    """`connect_to` maps `name:port` to the `host:port` that is connected to; URL, SNI and Host header stay the same.

    `ca_bundle_pem`, where given, is trusted instead of the system's certificates; `trusted_ca_pem` besides either.
    """

    ca_bundle_pem: bytes = b""
    trusted_ca_pem: bytes = b""
    skip_tls_verify: bool = False
    connect_to: dict[str, str] = field(default_factory=dict)
    proxies_from_environment: bool = True
    user_agent: str = f"certwright ({platform.system().lower()}/{platform.machine()})"
    timeout: timedelta = timedelta(seconds=90)
