"""What the caches keep of CertificateRequests and Secrets: facts and digests, no bodies of Secrets, no keys."""

from __future__ import annotations

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectMeta


class RequestFacts(Struct, frozen=True, kw_only=True):
    """A CertificateRequest; its body is kept only while it may still have to be signed."""

    metadata: ObjectMeta
    spec: cm.CertificateRequestSpec
    status: cm.CertificateRequestStatus


class SecretFacts(Struct, frozen=True, kw_only=True):
    """A Secret of ours."""

    metadata: ObjectMeta
