"""The custom resource that the suite defines for itself."""

from __future__ import annotations

from typing import Any

from tests.conformance.kube_api.objects import GROUP

STRING = {"type": "string"}
INTEGER = {"type": "integer"}

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 100},
        "color": {"type": "string", "enum": ["red", "green", "blue"], "default": "red"},
        "name": {"type": "string", "minLength": 2, "maxLength": 8, "pattern": "^[a-z]+$"},
        "ratio": {"type": "number", "exclusiveMinimum": True, "minimum": 0, "multipleOf": 0.5},
        "when": {"type": "string", "format": "date-time"},
        "blob": {"type": "string", "format": "byte"},
        "port": {"x-kubernetes-int-or-string": True},
        "frozen": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "frozen cannot change"}],
        },
        "nothing": {"type": "string", "nullable": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "words": {"type": "array", "items": STRING, "maxItems": 3, "x-kubernetes-list-type": "set"},
        "plain": {"type": "array", "items": STRING},
        "limits": {"type": "object", "additionalProperties": INTEGER, "maxProperties": 3},
        "nested": {
            "type": "object",
            "properties": {"depth": {"type": "integer", "default": 3}, "note": STRING},
        },
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"],
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": STRING, "count": {"type": "integer", "default": 1}},
            },
        },
        "low": INTEGER,
        "high": INTEGER,
    },
    "x-kubernetes-validations": [
        {
            "rule": "!has(self.low) || !has(self.high) || self.low <= self.high",
            "messageExpression": "self.high < 0 ? 'high is negative' : 'low is above high'",
            "fieldPath": ".low",
            "reason": "FieldValueInvalid",
        }
    ],
}

STATUS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "phase": STRING,
        "replicas": INTEGER,
        "conditions": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
            "items": {
                "type": "object",
                "required": ["type", "status"],
                "properties": {"type": STRING, "status": STRING, "message": STRING},
            },
        },
    },
}

COLUMNS = [
    {"name": "Color", "type": "string", "jsonPath": ".spec.color", "description": "What it looks like"},
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def version(name: str = "v1", **more: Any) -> dict[str, Any]:
    """A served and stored version of the Widget."""
    schema = {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}
    return {
        "name": name,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": ".spec.color"}],
        "additionalPrinterColumns": COLUMNS,
        **more,
    }


def definition(plural: str, kind: str, versions: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    """A CustomResourceDefinition in the suite's group."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": versions,
            **spec,
        },
    }


def small_version(properties: dict[str, Any], name: str = "v1", **more: Any) -> dict[str, Any]:
    """A version whose spec has just these properties."""
    spec = {"type": "object", "properties": properties}
    schema = {"type": "object", "properties": {"spec": spec}}
    return {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **more}


def widget_definition() -> dict[str, Any]:
    """The Widget."""
    whole = definition("widgets", "Widget", [version()])
    whole["spec"]["names"]["shortNames"] = ["wd"]
    whole["spec"]["names"]["categories"] = ["gear"]
    return whole
