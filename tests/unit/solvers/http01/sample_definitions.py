"""The part of the Gateway API's HTTPRoute that the tests need, with the defaults that it fills in."""

from __future__ import annotations

from typing import Any


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _text(default: str | None = None) -> dict[str, Any]:
    return {"type": "string"} if default is None else {"type": "string", "default": default}


_PARENT = _object(group=_text("gateway.networking.k8s.io"), kind=_text("Gateway"), name=_text(), namespace=_text())
_BACKEND = _object(
    group=_text(""),
    kind=_text("Service"),
    name=_text(),
    port={"type": "integer"},
    weight={"type": "integer", "default": 1},
)
_MATCH = _object(path=_object(type=_text("PathPrefix"), value=_text("/")), method=_text())
_SPEC = _object(
    parentRefs=_list(_PARENT),
    hostnames=_list(_text()),
    rules=_list(_object(matches=_list(_MATCH), backendRefs=_list(_BACKEND), name=_text("filled-in"))),
)

HTTP_ROUTE_DEFINITION: dict[str, object] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "httproutes.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466"},
    },
    "spec": {
        "group": "gateway.networking.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "HTTPRoute", "plural": "httproutes", "singular": "httproute", "listKind": "HTTPRouteList"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _object(spec=_SPEC)}}
        ],
    },
}
