"""Small objects and paths that the suite writes."""

from __future__ import annotations

from typing import Any

GROUP = "conformance.certwright.io"
WIDGETS = f"/apis/{GROUP}/v1"
NAMESPACES = "/api/v1/namespaces"


def core(namespace: str, plural: str, name: str = "", subresource: str = "") -> str:
    """A path below `/api/v1`."""
    return _join(f"{NAMESPACES}/{namespace}/{plural}", name, subresource)


def grouped(group_version: str, namespace: str, plural: str, name: str = "", subresource: str = "") -> str:
    """A path below `/apis`; cluster-wide where the namespace is empty."""
    below = f"/namespaces/{namespace}" if namespace else ""
    return _join(f"/apis/{group_version}{below}/{plural}", name, subresource)


def widgets(namespace: str, name: str = "", subresource: str = "") -> str:
    """A path of the suite's own custom resource."""
    return grouped(f"{GROUP}/v1", namespace, "widgets", name, subresource)


def _join(path: str, name: str, subresource: str) -> str:
    return "/".join(part for part in (path, name, subresource) if part)


def configmap(name: str, data: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    """A ConfigMap; `name` ends in `-` for generateName."""
    named = {"generateName": name} if name.endswith("-") else {"name": name}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**named, **metadata}}
    return body if data is None else {**body, "data": data}


def secret(name: str, data: dict[str, str] | None = None, kind: str = "", **metadata: Any) -> dict[str, Any]:
    """A Secret with base64 values."""
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, **metadata}, "data": data or {}}
    return {**body, "type": kind} if kind else body


def widget(name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A Widget."""
    kind = {"apiVersion": f"{GROUP}/v1", "kind": "Widget"}
    return {**kind, "metadata": {"name": name, **metadata}, "spec": {"size": 1} if spec is None else spec}


def causes(body: Any) -> list[tuple[str, str, str]]:
    """The causes of a Status as (reason, field, message)."""
    return [(c.get("reason", ""), c.get("field", ""), c["message"]) for c in body["details"].get("causes", [])]
