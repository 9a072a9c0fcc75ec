"""The default roles and priorities, and ClusterRoles that gather the rules of others by label."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver import objects
from certwright.apiserver.admission.matching import label_selector
from certwright.apiserver.auth.bootstrap import GROUP, cluster_role_bindings, cluster_roles, priority_classes
from certwright.apiserver.definition import Definition
from certwright.apiserver.lifecycle.internal import amend, make
from certwright.apiserver.lifecycle.worker import Worker
from certwright.apiserver.storage.history import Change, Stored
from certwright.apiserver.verbs.api import Api
from certwright.kube.wire.json import JSON, JSONObject

_ROLES = f"clusterroles.{GROUP}"


class Roles:
    """Keeps the rules of aggregated ClusterRoles what their selectors say."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.worker: Worker[str] = Worker("roles", self._look, api.clock)

    def start(self) -> None:
        """Make the default roles, and gather."""
        roles = self._api.served.find(GROUP, "v1", "clusterroles")
        bindings = self._api.served.find(GROUP, "v1", "clusterrolebindings")
        priorities = self._api.served.find("scheduling.k8s.io", "v1", "priorityclasses")
        if roles is None or bindings is None or priorities is None:
            return
        for role in cluster_roles():
            make(self._api, roles, role)
        for binding in cluster_role_bindings():
            make(self._api, bindings, binding)
        for priority in priority_classes():
            make(self._api, priorities, priority)
        self._gather(roles)
        self._api.store.listen(_ROLES, self._notice)
        self.worker.start()

    def _notice(self, _change: Change) -> None:
        self.worker.add("")

    async def _look(self, _key: str) -> None:
        roles = self._api.served.find(GROUP, "v1", "clusterroles")
        if roles:
            self._gather(roles)

    def _gather(self, definition: Definition) -> None:
        # Roles may gather roles that gather: each round passes rules one level up, until nothing changes.
        for _ in range(len(self._api.store.list(_ROLES))):
            revision = self._api.store.revision
            for stored in self._api.store.list(_ROLES):
                selectors = objects.children(objects.child(stored.obj(), "aggregationRule"), "clusterRoleSelectors")
                if selectors:
                    amend(self._api, definition, stored, _setter(self._rules(stored, selectors)))
            if self._api.store.revision == revision:
                return

    def _rules(self, target: Stored, selectors: list[JSONObject]) -> list[JSON]:
        found: list[JSON] = []
        for selector in map(label_selector, selectors):
            for stored in self._api.store.list(_ROLES):
                if stored.key != target.key and selector.matches(stored.labels):
                    found += [rule for rule in objects.children(stored.obj(), "rules") if rule not in found]
        return found


def _setter(rules: list[JSON]) -> Callable[[JSONObject], None]:
    return lambda obj: obj.update(rules=rules)
