"""Keys and certificates on their way through this process: never stored before they are in their Secret."""

from __future__ import annotations

from certwright.kube.wire.keys import ObjectKey
from certwright.pki.keys import PrivateKey


class PendingKeys:
    """The private key of each CertificateRequest that is being signed in this process, by the request's name.

    A key leaves no trace outside the process: after a crash the request, whose certificate was never delivered,
    is deleted and made again with a new key. Keys are made here only for issuer types that sign in process.
    """

    def __init__(self) -> None:
        self._keys: dict[ObjectKey, PrivateKey] = {}

    def put(self, request: ObjectKey, key: PrivateKey) -> None:
        """Keep the key until `drop`."""
        self._keys[request] = key

    def get(self, request: ObjectKey) -> PrivateKey | None:
        """The key of that request; None where this process has none."""
        return self._keys.get(request)

    def drop(self, request: ObjectKey) -> None:
        """Forget it; a second drop does nothing."""
        self._keys.pop(request, None)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"PendingKeys({len(self)} keys)"
