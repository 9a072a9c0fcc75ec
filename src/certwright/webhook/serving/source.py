"""Where a serving certificate comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from certwright.pki.authority import KeyPair


class NotYet(Exception):
    """There is nothing to serve at the moment; the message is a sentence."""


class Source(Protocol):
    """Looked at again and again."""

    async def look(self) -> KeyPair:
        """What is to be served now; equal to the last one where nothing changed. Raises NotYet."""


class CertificateFiles:
    """A certificate and its key in files that somebody else renews."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key

    async def look(self) -> KeyPair:
        """What the files hold now."""
        try:
            return KeyPair(self._certificate.read_bytes(), self._key.read_bytes())
        except OSError as error:
            raise NotYet(
                f"{error.filename} cannot be read: {error.strerror}; put the serving certificate there."
            ) from error
