"""Which clients may ask: all, or those whose certificate is of a CA and, where names are given, bears one of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from certwright.webhook.serving.source import NotYet

PeerCertificate = Mapping[str, Any]  # as `ssl.SSLSocket.getpeercert` gives it


class Stranger(Exception):
    """The client may not ask; the message is a sentence."""


class Callers:
    """Demands client certificates where a CA is given; an empty list of names stands for every name."""

    def __init__(self, authority: Path | None = None, names: frozenset[str] = frozenset()) -> None:
        self._authority = authority
        self._names = names
        self._trusted = b""

    def load(self, context: ssl.SSLContext) -> None:
        """Make the context demand certificates; a changed file adds to what is trusted. Raises NotYet."""
        if self._authority is None:
            return
        try:
            bundle = self._authority.read_bytes()
            if bundle == self._trusted:
                return
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=bundle.decode("ascii"))
        except (OSError, UnicodeDecodeError, ssl.SSLError) as error:
            text = f"The client CA {self._authority} cannot be read: {error}; give PEM certificates."
            raise NotYet(text) from error
        self._trusted = bundle

    def check(self, certificate: PeerCertificate | None) -> None:
        """Raise Stranger where the names of the certificate do not serve; TLS has verified the rest."""
        if self._authority is None or not self._names:
            return
        if not self._names & set(_names(certificate or {})):
            raise Stranger(
                "The client certificate bears none of the names that are allowed; add its common name or one of its "
                "DNS names to --client-subject-names."
            )


def _names(certificate: PeerCertificate) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        yield from (value for kind, value in part if kind == "commonName")
    yield from (value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS")
