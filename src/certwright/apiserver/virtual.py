"""Resources that are asked, not stored: reviews of access and identity, and tokens of service accounts."""

from __future__ import annotations

from msgspec import Struct

from certwright.kube.wire.resources import Resource

_AUTHORIZATION = "authorization.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"


class Virtual(Struct, frozen=True):
    """A resource with the one verb `create`."""

    resource: Resource
    singular: str
    kind_group: str = ""
    """Group and version of the kind where they are not those of the path."""


def _virtual(group: str, plural: str, kind: str, *, namespaced: bool = False) -> Virtual:
    return Virtual(Resource(group, "v1", plural, kind, namespaced), kind.lower())


TOKEN_REQUESTS = Virtual(Resource("", "v1", "serviceaccounts/token", "TokenRequest", True), "", f"{_AUTHENTICATION}/v1")
VIRTUAL = (
    TOKEN_REQUESTS,
    _virtual(_AUTHENTICATION, "tokenreviews", "TokenReview"),
    _virtual(_AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview"),
    _virtual(_AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview"),
    _virtual(_AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    _virtual(_AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    _virtual(_AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview", namespaced=True),
)
