"""Admission webhooks: called for what they ask for, and heard."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.conformance.kube_api.objects import configmap, core
from tests.kubernetes.authority import Authority
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http
from tests.kubernetes.processes import free_ports

GROUP = "/apis/admissionregistration.k8s.io/v1"


class Hook:
    """A webhook that remembers what it was asked, and answers as it is told."""

    def __init__(self, url: str, bundle: str) -> None:
        self.url = url
        self.bundle = bundle
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"allowed": True}

    async def review(self, request: web.Request) -> web.Response:
        """Answer an AdmissionReview."""
        asked = (await request.json())["request"]
        self.asked.append(asked)
        answer = {"uid": asked["uid"], **self.answer}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})

    def entry(self, namespace: str, **more: Any) -> dict[str, Any]:
        """Its configuration: ConfigMaps of the namespace, on create and update."""
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
        return {
            "name": "hook.conformance.certwright.io",
            "clientConfig": {"url": self.url, "caBundle": self.bundle},
            "rules": [{**rule, "operations": ["CREATE", "UPDATE"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "objectSelector": {"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            **more,
        }


@pytest.fixture
async def hook(tmp_path: Path) -> AsyncIterator[Hook]:
    """One that listens on loopback."""
    authority = Authority.new(tmp_path, "Webhook CA")
    pair = authority.server("hook", ["127.0.0.1"])
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(pair.certificate, pair.key)
    (port,) = free_ports(1)
    made = Hook(f"https://127.0.0.1:{port}/review", base64.b64encode(authority.certificate.read_bytes()).decode())
    app = web.Application()
    app.router.add_post("/review", made.review)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=trust).start()
    yield made
    await runner.cleanup()


@pytest.fixture
async def installed(http: Http, ns: str) -> AsyncIterator[Any]:
    """Installs a configuration for the time of the test."""
    paths: list[str] = []

    async def install(kind: str, *entries: dict[str, Any]) -> None:
        path = f"{GROUP}/{kind}webhookconfigurations"
        (await http.post(path, {"metadata": {"name": ns}, "webhooks": list(entries)})).ok  # noqa: B018 asserts success
        paths.append(f"{path}/{ns}")

    yield install
    for path in paths:
        await http.delete(path)


async def asked_about(http: Http, ns: str, hook: Hook) -> None:
    """Return once writes reach the hook."""

    async def reaches() -> bool:
        await http.post(core(ns, "configmaps"), configmap("probe"), dryRun="All")
        return bool(hook.asked)

    await eventually(reaches)
    hook.asked.clear()


async def test_a_mutating_webhook_changes_what_is_stored(http: Http, ns: str, hook: Hook, installed: Any) -> None:
    await installed("mutating", hook.entry(ns))
    await asked_about(http, ns, hook)
    patch = [{"op": "add", "path": "/data", "value": {"added": "yes"}}]
    hook.answer = {
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        "warnings": ["mind the gap"],
    }

    created = await http.post(core(ns, "configmaps"), configmap("a"), fieldManager="me")
    free = await http.post(core(ns, "configmaps"), configmap("b", labels={"free": "1"}))

    [asked] = [each for each in hook.asked if each["name"] == "a"]
    assert created.ok["data"] == {"added": "yes"}
    assert created.warnings == ('299 - "mind the gap"',)
    assert "data" not in free.ok
    assert (asked["operation"], asked["name"], asked["namespace"], asked["dryRun"]) == ("CREATE", "a", ns, False)
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert (asked["object"]["metadata"]["name"], asked["oldObject"]) == ("a", None)
    assert asked["userInfo"]["username"] == "admin"
    assert asked["options"] == {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "me"}


async def test_a_validating_webhook_refuses(http: Http, ns: str, hook: Hook, installed: Any) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))
    await installed("validating", hook.entry(ns))
    await asked_about(http, ns, hook)
    hook.answer = {"allowed": False, "status": {"code": 403, "message": "not on a Friday"}}

    created = await http.post(core(ns, "configmaps"), configmap("b"))
    changed = await http.patch(core(ns, "configmaps", "a"), {"data": {"k": "v"}})
    deleted = await http.delete(core(ns, "configmaps", "a"))

    refusal = 'admission webhook "hook.conformance.certwright.io" denied the request: not on a Friday'
    assert [(answer.code, answer.body["message"]) for answer in (created, changed)] == [(403, refusal)] * 2
    assert deleted.code == 200
    # A controller of the cluster publishes a ConfigMap of its own in each namespace, at some time.
    asked = [each for each in hook.asked if each["name"] in {"a", "b"}]
    assert [each["operation"] for each in asked] == ["CREATE", "UPDATE"]
    assert asked[1]["oldObject"]["metadata"]["name"] == "a"


@pytest.mark.parametrize(("policy", "code"), [("Fail", 500), ("Ignore", 201)])
async def test_a_webhook_that_is_away(http: Http, ns: str, hook: Hook, installed: Any, policy: str, code: int) -> None:
    (port,) = free_ports(1)
    away = {**hook.entry(ns), "clientConfig": {"url": f"https://127.0.0.1:{port}/none"}, "failurePolicy": policy}
    witness = {**hook.entry(ns), "name": "witness.conformance.certwright.io"}
    await installed("validating", away)
    await installed("mutating", witness)
    await asked_about(http, ns, hook)

    async def answered() -> Any:
        answer = await http.post(core(ns, "configmaps"), configmap("a"), dryRun="All")
        return answer if answer.code == code else None

    answer = await eventually(answered)

    if policy == "Fail":
        said = 'Internal error occurred: failed calling webhook "hook.conformance.certwright.io": '
        assert answer.body["message"].startswith(said)


async def test_dry_run_needs_a_webhook_without_side_effects(http: Http, ns: str, hook: Hook, installed: Any) -> None:
    await installed("validating", hook.entry(ns))
    await asked_about(http, ns, hook)

    await http.post(core(ns, "configmaps"), configmap("a"), dryRun="All")

    assert hook.asked[-1]["dryRun"] is True
