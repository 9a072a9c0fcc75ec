"""Keys and certificates on their way through this process: never stored before they are in their Secret."""

from __future__ import annotations

from msgspec import Struct

from certwright.kube.wire.keys import ObjectKey
from certwright.pki.keys import PrivateKey, public_key_digest


class Answer(Struct, frozen=True, kw_only=True):
    """What an issuer gave for a CertificateRequest, which `uid` names for good; both texts are PEM."""

    uid: str
    chain: bytes
    ca: bytes = b""


class _Held(Struct, frozen=True):
    key: PrivateKey
    digest: bytes


class PendingKeys:
    """The private key of each CertificateRequest that is being signed in this process, by the request's name.

    A key leaves no trace outside the process: after a crash the request, whose certificate was never delivered,
    is deleted and made again with a new key. Keys are made here only for issuer types that sign in process.
    """

    def __init__(self) -> None:
        self._keys: dict[ObjectKey, _Held] = {}
        self._answers: dict[ObjectKey, Answer] = {}

    def put(self, request: ObjectKey, key: PrivateKey) -> None:
        """Keep the key until `drop`."""
        self._keys[request] = _Held(key, public_key_digest(key))

    def get(self, request: ObjectKey) -> PrivateKey | None:
        """The key of that request; None where this process has none."""
        held = self._keys.get(request)
        return None if held is None else held.key

    def digest(self, request: ObjectKey) -> bytes | None:
        """The digest of the public key that belongs to it."""
        held = self._keys.get(request)
        return None if held is None else held.digest

    def deliver(self, request: ObjectKey, answer: Answer) -> None:
        """Keep the answer until `drop`, where somebody in this process waits for it."""
        if request in self._keys:
            self._answers[request] = answer

    def answer(self, request: ObjectKey, uid: str) -> Answer | None:
        """The answer to that request; None where it has to be read from the API server."""
        found = self._answers.get(request)
        return found if found is not None and found.uid == uid else None

    def drop(self, request: ObjectKey) -> None:
        """Forget it; a second drop does nothing."""
        self._keys.pop(request, None)
        self._answers.pop(request, None)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"PendingKeys({len(self)} keys)"
