"""Mutating policies: their changes are stored and judged, and what cannot be changed is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.kube_api.objects import configmap, core
from tests.conformance.kube_api.policies import GROUP, Install, applied, matching, patched, rule
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http


async def test_changes_are_stored(http: Http, ns: str, install: Install) -> None:
    changes = [
        applied("Object{metadata: Object.metadata{labels: {'by': request.userInfo.username}}, data: {'added': 'yes'}}"),
        patched(
            "[JSONPatch{op: 'test', path: '/data/added', value: 'yes'},"
            " JSONPatch{op: 'add', path: '/metadata/annotations', value: {'seen': object.data.added}}]"
        ),
        patched("has(object.data.k) ? [JSONPatch{op: 'remove', path: '/data/k'}] : []"),
        patched("[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('x/y'), value: 'z'}]"),
        patched(
            "[JSONPatch{op: 'test', path: '/data/added', value: 'no'}, JSONPatch{op: 'remove', path: '/data/added'}]"
        ),
    ]
    matched = {"matchConstraints": matching(ns, "CREATE")}
    await install("Mutating", {"mutations": changes, **matched})

    created = await http.post(core(ns, "configmaps"), configmap("a", labels={"own": "1"}, data={"k": "v", "l": "w"}))
    stored = (await http.get(core(ns, "configmaps", "a"))).ok

    assert created.code == 201
    assert stored["data"] == {"added": "yes", "l": "w"}
    assert stored["metadata"]["labels"] == {"own": "1", "by": "admin", "x/y": "z", "marked": "yes"}
    assert stored["metadata"]["annotations"] == {"seen": "yes"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (applied("Object{data: {'k': object.data.none}}"), "expression '{text}' resulted in error: no such key: data"),
        (patched("[JSONPatch{op: 'remove', path: '/data/k'}]"), "JSON Patch: "),
        (applied("Object{nope: 'x'}"), ".nope: field not declared in schema"),
    ],
)
async def test_a_change_that_cannot_be_made(
    http: Http, ns: str, install: Install, change: dict[str, Any], why: str
) -> None:
    [expression] = [part["expression"] for part in change.values() if isinstance(part, dict)]
    await install("Mutating", {"mutations": [change], "failurePolicy": "Fail"})

    refused = await http.post(core(ns, "configmaps"), configmap("a"))

    assert (refused.code, refused.body["reason"]) == (403, "Invalid")
    assert refused.body["message"].startswith(f"policy '{ns}' with binding '{ns}' denied request: ")
    assert why.format(text=expression) in refused.body["message"]


async def test_a_changed_object_is_judged(http: Http, ns: str, install: Install) -> None:
    await install("Mutating", {"mutations": [applied("Object{data: {'added': 'yes'}}")]})
    await install("Validating", {"validations": [rule("object == null || !('added' in object.data)", "was added")]})

    async def refused() -> bool:
        answer = await http.post(core(ns, "configmaps"), configmap("a"), dryRun="All")
        return answer.code == 422 and answer.body["message"].endswith("was added")

    await eventually(refused)


async def test_a_mutating_policy_cannot_ask_for_deletions(http: Http, ns: str) -> None:
    changes = [applied("Object{data: {'k': 'v'}}")]
    spec = {"matchConstraints": matching(ns, "DELETE"), "mutations": changes, "reinvocationPolicy": "Never"}

    answer = await http.post(f"{GROUP}/mutatingadmissionpolicies", {"metadata": {"name": ns}, "spec": spec})

    supported = 'Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'
    assert answer.code == 422
    assert [(cause["field"], cause["message"]) for cause in answer.body["details"]["causes"]] == [
        ("spec.matchConstraints.resourceRules.operations", supported)
    ]
