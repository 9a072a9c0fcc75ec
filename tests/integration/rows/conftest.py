"""The person of the certificate line's tests."""

from __future__ import annotations

from tests.integration.certificate.conftest import user

__all__ = ["user"]
