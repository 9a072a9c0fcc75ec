"""What every verb works with."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from certwright.apiserver.admission.review import Hooks
from certwright.apiserver.conversion import storage_key
from certwright.apiserver.definition import Definition
from certwright.apiserver.served import Served
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.storage.store import Store
from certwright.apiserver.verbs.refusals import missing
from certwright.clock import Clock
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import NAMESPACES


class Api(Struct, frozen=True, kw_only=True):
    """The store with all that knows how to use it."""

    store: Store
    served: Served
    clock: Clock
    hooks: Hooks
    new_uid: Callable[[], str]
    new_suffix: Callable[[], str]
    """Five characters for `generateName`."""

    def find(self, definition: Definition, key: ObjectKey) -> Stored | None:
        """The object, or None."""
        return self.store.get(storage_key(definition), key)

    def get(self, definition: Definition, key: ObjectKey) -> Stored:
        """The object; NotFound where there is none."""
        found = self.find(definition, key)
        if found is None:
            raise missing(definition, key.name)
        return found

    def namespace(self, name: str) -> JSONObject | None:
        """A Namespace, or None."""
        found = self.store.get(NAMESPACES.qualified, ObjectKey("", name))
        return found.obj() if found else None
