from __future__ import annotations

import pytest

from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import INGRESSCLASSES, LEASES, SECRETS, Resource


@pytest.mark.parametrize(
    ("resource", "arguments", "path"),
    [
        (SECRETS, (), "/api/v1/secrets"),
        (SECRETS, ("shop",), "/api/v1/namespaces/shop/secrets"),
        (SECRETS, ("shop", "tls"), "/api/v1/namespaces/shop/secrets/tls"),
        (LEASES, ("a", "b"), "/apis/coordination.k8s.io/v1/namespaces/a/leases/b"),
        (LEASES, ("a", "b", "status"), "/apis/coordination.k8s.io/v1/namespaces/a/leases/b/status"),
        (INGRESSCLASSES, ("ignored", "nginx"), "/apis/networking.k8s.io/v1/ingressclasses/nginx"),
        (INGRESSCLASSES, ("", "system:a"), "/apis/networking.k8s.io/v1/ingressclasses/system:a"),
        (INGRESSCLASSES, ("", "a?b#c"), "/apis/networking.k8s.io/v1/ingressclasses/a%3Fb%23c"),
    ],
)
def test_path(resource: Resource, arguments: tuple[str, ...], path: str) -> None:
    assert resource.path(*arguments) == path


@pytest.mark.parametrize("name", [".", "..", "a/b", "../secrets", "a%2fb"])
def test_a_name_cannot_leave_its_segment(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name an object"):
        SECRETS.path("shop", name)


def test_names_of_a_resource() -> None:
    assert (SECRETS.api_version, SECRETS.qualified) == ("v1", "secrets")
    assert (LEASES.api_version, LEASES.qualified) == ("coordination.k8s.io/v1", "leases.coordination.k8s.io")


def test_a_key_prints_its_namespace_only_where_it_has_one() -> None:
    assert [str(ObjectKey("a", "b")), str(ObjectKey("", "b"))] == ["a/b", "b"]
