"""What cert-manager 1.21.1 left on a real cluster, made anew on an API server in the namespace of a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.kubernetes.http import APPLY_PATCH, MERGE_PATCH

from certwright.api.core_kinds import INGRESS, POD, SECRET, SERVICE
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST, CHALLENGE, CLUSTER_ISSUER, ISSUER, ORDER
from certwright.api.resource import Resource

Plain = dict[str, Any]  # decoded objects
Change = Callable[[Plain], None]

FOLDER = Path(__file__).parents[4] / "shared" / "golden"
RESOURCES: dict[str, Resource] = {
    kind.resource.kind: kind.resource
    for kind in (
        SECRET,
        INGRESS,
        CLUSTER_ISSUER,
        ISSUER,
        CERTIFICATE,
        CERTIFICATE_REQUEST,
        ORDER,
        CHALLENGE,
        SERVICE,
        POD,
    )
}
KEPT = ("apiVersion", "kind", "spec", "type", "data")
METADATA = ("name", "labels", "annotations", "finalizers")
# What an API server gives a Service or a Pod by itself.
ASSIGNED = ("clusterIP", "clusterIPs", "nodeName")


def needs_golden() -> pytest.MarkDecorator:
    """Skips where the golden objects are not there, and says so."""
    return pytest.mark.skipif(not FOLDER.exists(), reason="the golden objects are not beside this checkout")


def golden(name: str) -> list[Plain]:
    """The objects of a golden file."""
    found: list[Plain] = json.loads((FOLDER / name).read_text())["items"]
    return found


def named(items: Iterable[Plain], kind: str, name: str) -> Plain:
    """The one of that kind and name."""
    return next(each for each in items if each["kind"] == kind and each["metadata"]["name"] == name)


class Past:
    """Makes objects again: owners first, uids translated, status and managers of fields as they were.

    All namespaces become that of the test.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.uids: dict[str, str] = {}

    async def restore(self, items: Iterable[Plain], change: Change = lambda _: None) -> None:
        """Every object, after `change` of it, in the order that owners ask for."""
        waiting = sorted(items, key=lambda each: list(RESOURCES).index(each["kind"]))
        for each in waiting:
            change(each)
        known = {each["metadata"]["uid"] for each in waiting}
        while waiting:
            for each in waiting:
                each["metadata"]["ownerReferences"] = [
                    owner for owner in each["metadata"].get("ownerReferences", []) if owner["uid"] in known
                ]
            ready = [each for each in waiting if self._owners_are_there(each)]
            assert ready, "owners go round in a ring"
            for each in ready:
                await self.make(each)
            waiting = [each for each in waiting if each not in ready]

    async def make(self, each: Plain) -> Plain:
        """One object."""
        managers = each["metadata"].get("managedFields", [])
        made = await self._create(each, managers)
        self.uids[each["metadata"]["uid"]] = made["metadata"]["uid"]
        if each["metadata"].get("finalizers"):
            await self._apply_finalizers(each)
        if each.get("status") and each["kind"] not in {"Service", "Pod", "Ingress"}:
            await self._write_status(each, managers)
        return made

    def path(self, each: Plain, subresource: str = "") -> str:
        """Where the object is here."""
        resource = RESOURCES[each["kind"]]
        return resource.path(self._cluster.namespace, each["metadata"]["name"], subresource)

    def body(self, each: Plain) -> Plain:
        """The object as it is sent."""
        old = each["metadata"]
        metadata = {name: old[name] for name in METADATA if old.get(name) and name != "finalizers"}
        owners = [{**owner, "uid": self.uids[owner["uid"]]} for owner in old.get("ownerReferences", [])]
        if RESOURCES[each["kind"]].namespaced:
            metadata["namespace"] = self._cluster.namespace
        if owners:
            metadata["ownerReferences"] = owners
        body = {**{name: each[name] for name in KEPT if name in each}, "metadata": metadata}
        if each["kind"] in {"Service", "Pod"}:
            body["spec"] = {name: value for name, value in each["spec"].items() if name not in ASSIGNED}
            for port in body["spec"].get("ports", []):
                port.pop("nodePort", None)
        return body

    def _owners_are_there(self, each: Plain) -> bool:
        return all(owner["uid"] in self.uids for owner in each["metadata"].get("ownerReferences", []))

    async def _create(self, each: Plain, managers: list[Plain]) -> Plain:
        applied = [entry["manager"] for entry in managers if entry["operation"] == "Apply"]
        http, body = self._cluster.http, self.body(each)
        if applied and each["kind"] == "Secret":
            made = await http.patch(self.path(each), body, APPLY_PATCH, fieldManager=applied[0], force="true")
        else:
            collection = RESOURCES[each["kind"]].path(self._cluster.namespace)
            made = await http.post(collection, body, fieldManager=_manager(managers, ""))
        found: Plain = made.ok
        return found

    async def _apply_finalizers(self, each: Plain) -> None:
        metadata = {"name": each["metadata"]["name"], "finalizers": each["metadata"]["finalizers"]}
        body = {"apiVersion": each["apiVersion"], "kind": each["kind"], "metadata": metadata}
        answer = await self._cluster.http.apply(self.path(each), body, "cert-manager-challenges")
        answer.ok  # noqa: B018 asserts success

    async def _write_status(self, each: Plain, managers: list[Plain]) -> None:
        # Messages name objects with their namespace.
        status = json.loads(json.dumps(each["status"]).replace("order golden/", f"order {self._cluster.namespace}/"))
        path, body = self.path(each, "status"), {"status": status}
        answer = await self._cluster.http.patch(path, body, MERGE_PATCH, fieldManager=_manager(managers, "status"))
        answer.ok  # noqa: B018 asserts success


def _manager(managers: list[Plain], subresource: str) -> str:
    found = [
        entry["manager"]
        for entry in managers
        if entry["operation"] == "Update" and entry.get("subresource", "") == subresource
    ]
    return found[0] if found else "kubectl"
