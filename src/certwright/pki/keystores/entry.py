"""What goes into a key store."""

from __future__ import annotations

from msgspec import Struct

from certwright.pki.keys import PrivateKey


class KeyEntry(Struct, frozen=True):
    """A private key, its DER certificates (leaf first, at least one), and the DER certificates of its CA."""

    key: PrivateKey
    certificates: tuple[bytes, ...]
    authorities: tuple[bytes, ...] = ()
