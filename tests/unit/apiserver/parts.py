"""The inside of a server without its sockets, for tests."""

from __future__ import annotations

import itertools
from pathlib import Path

from tests.clock import MovableClock

from certwright.apiserver.admission.review import Hooks
from certwright.apiserver.caller import Caller
from certwright.apiserver.definition import Definition, definitions_from_crd
from certwright.apiserver.kinds.catalog import built_in_definitions
from certwright.apiserver.lifecycle.internal import make
from certwright.apiserver.served import Served
from certwright.apiserver.storage.database import Database
from certwright.apiserver.storage.store import Store
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Call, Options
from certwright.kube.wire.json import JSONObject

USER = Caller("jane", ("developers", "system:authenticated"))
WIDGET_CRD: JSONObject = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "color": {"type": "string", "enum": ["red", "green"]},
                                    "size": {"type": "integer", "default": 3},
                                },
                            },
                            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}


class Parts:
    """A store on disk with the verbs on it, the default namespace, and one custom resource."""

    def __init__(self, folder: Path, hooks: Hooks | None = None) -> None:
        self.clock = MovableClock()
        self.database = Database(folder)
        self.served = Served(built_in_definitions())
        self.served.put_custom("widgets.example.com", definitions_from_crd(WIDGET_CRD))
        uids, suffixes = itertools.count(1), itertools.count(1)
        self.api = Api(
            store=Store(self.database),
            served=self.served,
            clock=self.clock,
            hooks=hooks or Hooks(),
            new_uid=lambda: f"uid-{next(uids)}",
            new_suffix=lambda: f"x{next(suffixes):04}",
        )
        make(self.api, self.definition("", "namespaces"), {"metadata": {"name": "default"}})

    def definition(self, group: str, plural: str) -> Definition:
        """A served resource."""
        found = self.served.find(group, "v1", plural)
        assert found is not None
        return found

    @property
    def widgets(self) -> Definition:
        """The custom resource."""
        return self.definition("example.com", "widgets")

    @property
    def configmaps(self) -> Definition:
        """A built-in resource."""
        return self.definition("", "configmaps")


def call(definition: Definition, name: str = "", subresource: str = "", options: Options | None = None) -> Call:
    """A call of `USER` in the namespace `default`."""
    return Call(
        definition=definition,
        namespace="default" if definition.resource.namespaced else "",
        name=name,
        subresource=subresource,
        caller=USER,
        agent="tests/1.0",
        options=options or Options(),
        warnings=[],
        doubled=[],
    )


def widget(name: str, color: str = "red", **metadata: str | dict[str, str] | list[str]) -> JSONObject:
    """A Widget."""
    shown: JSONObject = {"name": name}
    for key, value in metadata.items():
        shown[key] = list(value) if isinstance(value, list) else (dict(value) if isinstance(value, dict) else value)
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": shown, "spec": {"color": color}}
