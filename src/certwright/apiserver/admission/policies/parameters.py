"""The objects with parameters that a binding names."""

from __future__ import annotations

from certwright.apiserver.admission.policies.parsing import Binding, Parameter, Policy
from certwright.apiserver.conversion import obj_in, storage_key
from certwright.apiserver.definition import Definition
from certwright.apiserver.served import Served
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.storage.store import Store
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey


class Misconfigured(Exception):
    """A binding whose parameters cannot be told."""

    def __init__(self, why: str) -> None:
        super().__init__(f"failed to configure binding: {why}")


class Parameters:
    """Finds them among what is stored."""

    def __init__(self, store: Store, served: Served) -> None:
        self._store = store
        self._served = served

    def of(self, policy: Policy, binding: Binding, namespace: str) -> list[JSONObject | None]:
        """One evaluation is made with each; None where a policy takes none. Raises Misconfigured."""
        reference = binding.parameter
        if policy.parameter_kind is None or reference is None:
            return [None]
        definition = self._served.find_kind(*policy.parameter_kind)
        if definition is None:
            shown = ", Kind=".join(policy.parameter_kind)
            raise Misconfigured(f"failed to find resource referenced by paramKind: '{shown}'")
        target = self._served.stored(definition)
        found = self._stored(definition, reference, self._home(definition, reference, namespace))
        if not found and not reference.may_be_missing:
            raise Misconfigured("no params found for policy binding with `Deny` parameterNotFoundAction")
        return [obj_in(each, target, definition) for each in found]

    def _home(self, definition: Definition, reference: Parameter, namespace: str) -> str:
        if not definition.resource.namespaced:
            if reference.namespace:
                raise Misconfigured("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
            return ""
        home = reference.namespace or namespace
        if not home:
            why = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            raise Misconfigured(why)
        return home

    def _stored(self, definition: Definition, reference: Parameter, home: str) -> list[Stored]:
        key = storage_key(definition)
        if reference.selector is not None:
            return [each for each in self._store.list(key, home) if reference.selector.matches(each.labels)]
        found = self._store.get(key, ObjectKey(home, reference.name))
        return [found] if found else []
