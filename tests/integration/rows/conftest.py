"""What the tests of the certificate line, the ACME line and the legacy group are given."""

from __future__ import annotations

from tests.integration.acme.conftest import objects, own
from tests.integration.certificate.conftest import user
from tests.integration.legacy.conftest import rig

__all__ = ["objects", "own", "rig", "user"]
