"""Policies that the suite installs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.kube_api.objects import configmap, core
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

GROUP = "/apis/admissionregistration.k8s.io/v1"
PLURALS = {"Validating": "validatingadmissionpolic", "Mutating": "mutatingadmissionpolic"}
Install = Callable[..., Awaitable[None]]


def matching(namespace: str, *operations: str, **more: Any) -> dict[str, Any]:
    """ConfigMaps of the test's namespace."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": list(operations)}
    home = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return {"resourceRules": [rule], "namespaceSelector": home, **more}


def rule(expression: str, message: str = "", **more: Any) -> dict[str, Any]:
    """A validation."""
    return {"expression": expression, **({"message": message} if message else {}), **more}


def applied(expression: str) -> dict[str, Any]:
    """A mutation that applies."""
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> dict[str, Any]:
    """A mutation by JSON patch."""
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


@asynccontextmanager
async def installing(http: Http, ns: str) -> AsyncIterator[Install]:
    """Installs a policy with its binding for the time of the test, and waits until it is in force.

    A marker tells that: the ConfigMap `marker`, which every policy refuses or changes.
    """
    installed: list[str] = []

    async def put(sort: str, spec: dict[str, Any], binding: dict[str, Any] | None = None) -> None:
        plural = PLURALS[sort]
        operations = ("CREATE", "UPDATE", "DELETE") if sort == "Validating" else ("CREATE", "UPDATE")
        policy = {"matchConstraints": matching(ns, *operations), **spec}
        if sort == "Validating":
            policy["validations"] = [rule("object == null || object.metadata.name != 'marker'"), *policy["validations"]]
        else:
            labels = "Object{metadata: Object.metadata{labels: {'marked': 'yes'}}}"
            policy["mutations"] = [*policy["mutations"], applied(labels)]
            policy["reinvocationPolicy"] = "Never"
        bound = {"policyName": ns, **({"validationActions": ["Deny"]} if sort == "Validating" else {})}
        (await http.post(f"{GROUP}/{plural}ies", {"metadata": {"name": ns}, "spec": policy})).ok  # noqa: B018 asserts success
        installed.append(f"{GROUP}/{plural}ies/{ns}")
        bound |= binding or {}
        (await http.post(f"{GROUP}/{plural}ybindings", {"metadata": {"name": ns}, "spec": bound})).ok  # noqa: B018 as above
        installed.append(f"{GROUP}/{plural}ybindings/{ns}")
        await eventually(in_force)

    async def in_force() -> bool:
        answer = await http.post(core(ns, "configmaps"), configmap("marker"), dryRun="All")
        if answer.code == 201:
            return bool(answer.warnings) or "marked" in answer.body["metadata"].get("labels", {})
        # A policy of another test may still be in force for a moment.
        return f"'{ns}'" in answer.body["message"]

    yield put
    for path in installed:
        await http.delete(path)
