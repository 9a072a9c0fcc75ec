"""What the process tells the Vault issuer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct


class VaultOptions(Struct, frozen=True, kw_only=True):
    """`trusted_ca_pem` is trusted besides the system's roots, where an issuer names no CA of its own.

    `environment` is where the process's own AWS identity is looked for.
    """

    trusted_ca_pem: bytes = b""
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return "VaultOptions([hidden])"
