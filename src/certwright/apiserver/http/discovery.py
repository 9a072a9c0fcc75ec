"""Discovery: which groups, versions and resources there are, in the legacy and in the aggregated form."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from certwright.apiserver.definition import Definition
from certwright.apiserver.served import Served
from certwright.apiserver.virtual import VIRTUAL, Virtual
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import NAMESPACES

_VERBS: tuple[JSON, ...] = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
# A real server lists the verbs of custom resources in this order.
_CUSTOM_VERBS: tuple[JSON, ...] = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_STATUS_VERBS: tuple[JSON, ...] = ("get", "patch", "update")
AGGREGATED = {"v2": "apidiscovery.k8s.io/v2", "v2beta1": "apidiscovery.k8s.io/v2beta1"}
# The order of groups where kinds are looked up by short name: as in the API server, the core group first.
_FIRST = ("apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io")


class Discovery:
    """Answers from what is served at the moment."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def group_names(self) -> list[str]:
        """All named groups: built-in ones in their order, then the others by name."""
        versions = self._versions()
        names = [name for name in versions if name]
        return sorted(names, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))

    def _versions(self) -> dict[str, list[str]]:
        found = self._served.versions()
        for virtual in VIRTUAL:
            found.setdefault(virtual.resource.group, [virtual.resource.version])
        return found

    def paths(self) -> list[str]:
        """The paths of all groups and versions."""
        found = ["/api", "/api/v1", "/apis"]
        for group, versions in self._versions().items():
            if group:
                found += [f"/apis/{group}", *(f"/apis/{group}/{version}" for version in versions)]
        return found

    def core_versions(self, host: str) -> JSONObject:
        """`/api`."""
        address: JSONObject = {"clientCIDR": "0.0.0.0/0", "serverAddress": host}
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}

    def groups(self) -> JSONObject:
        """`/apis`."""
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [self._group(name) for name in self.group_names()],
        }

    def group(self, name: str) -> JSONObject | None:
        """`/apis/<group>`."""
        if name not in self._versions() or not name:
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(name)}

    def _group(self, name: str) -> JSONObject:
        versions: list[JSON] = [
            {"groupVersion": f"{name}/{version}", "version": version} for version in self._versions()[name]
        ]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}

    def resources(self, group: str, version: str) -> JSONObject | None:
        """`/api/v1` and `/apis/<group>/<version>`."""
        if version not in self._versions().get(group, []):
            return None
        listed: list[JSON] = []
        for definition in self._of(group, version):
            listed += _legacy(definition)
        listed += [_legacy_virtual(virtual) for virtual in _virtual_of(group, version)]
        api_version = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed}

    def _of(self, group: str, version: str) -> list[Definition]:
        found = [d for d in self._served.all() if (d.resource.group, d.resource.version) == (group, version)]
        return sorted(found, key=lambda definition: definition.resource.plural)

    def aggregated(self, form: str, *, core: bool) -> JSONObject:
        """`/api` or `/apis` in one document, as `apidiscovery.k8s.io/<form>`."""
        names = [""] if core else self.group_names()
        items: list[JSON] = [self._aggregated_group(name) for name in names]
        return {"kind": "APIGroupDiscoveryList", "apiVersion": AGGREGATED[form], "metadata": {}, "items": items}

    def _aggregated_group(self, name: str) -> JSONObject:
        versions: list[JSON] = [self._aggregated_version(name, version) for version in self._versions()[name]]
        metadata: JSONObject = {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None}
        return {"metadata": metadata, "versions": versions}

    def _aggregated_version(self, group: str, version: str) -> JSONObject:
        resources: list[JSON] = [_aggregated(definition) for definition in self._of(group, version)]
        top = [virtual for virtual in _virtual_of(group, version) if "/" not in virtual.resource.plural]
        resources += [_aggregated_virtual(virtual) for virtual in top]
        return {"version": version, "resources": resources, "freshness": "Current"}


def _verbs(definition: Definition) -> list[JSON]:
    if not definition.built_in:
        return list(_CUSTOM_VERBS)
    return [verb for verb in _VERBS if verb != "deletecollection" or definition.resource != NAMESPACES]


def _verbs_of_part(name: str) -> list[JSON]:
    return ["update"] if name == "finalize" else list(_STATUS_VERBS)


def _virtual_of(group: str, version: str) -> Iterable[Virtual]:
    return (each for each in VIRTUAL if (each.resource.group, each.resource.version) == (group, version))


def _legacy(definition: Definition) -> list[JSON]:
    resource = definition.resource
    first: JSONObject = {
        "name": resource.plural,
        "singularName": definition.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(definition),
    }
    if definition.short_names:
        first["shortNames"] = list(definition.short_names)
    if definition.categories:
        first["categories"] = list(definition.categories)
    first["storageVersionHash"] = _version_hash(definition)
    return [first, *(_legacy_subresource(definition, name) for name in sorted(definition.subresources))]


def _legacy_subresource(definition: Definition, name: str) -> JSONObject:
    resource = definition.resource
    is_scale = name == "scale"
    shown: JSONObject = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": "Scale" if is_scale else resource.kind,
        "verbs": _verbs_of_part(name),
    }
    if is_scale:
        shown["group"], shown["version"] = "autoscaling", "v1"
    return shown


def _legacy_virtual(virtual: Virtual) -> JSONObject:
    resource = virtual.resource
    shown: JSONObject = {
        "name": resource.plural,
        "singularName": virtual.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["create"],
    }
    if virtual.kind_group:
        shown["group"], _, shown["version"] = virtual.kind_group.partition("/")
    return shown


def _version_hash(definition: Definition) -> str:
    resource = definition.resource
    digest = hashlib.sha256(f"{resource.group}/{resource.version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _kind(definition: Definition) -> JSONObject:
    resource = definition.resource
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _aggregated(definition: Definition) -> JSONObject:
    resource = definition.resource
    shown: JSONObject = {
        "resource": resource.plural,
        "responseKind": _kind(definition),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": definition.singular,
        "verbs": _verbs(definition),
    }
    if definition.short_names:
        shown["shortNames"] = list(definition.short_names)
    if definition.categories:
        shown["categories"] = list(definition.categories)
    parts: list[JSON] = [_aggregated_subresource(definition, name) for name in sorted(definition.subresources)]
    parts += [
        _aggregated_part(virtual)
        for virtual in _virtual_of(resource.group, resource.version)
        if virtual.resource.plural.startswith(resource.plural + "/")
    ]
    if parts:
        shown["subresources"] = parts
    return shown


def _aggregated_subresource(definition: Definition, name: str) -> JSONObject:
    scale: JSONObject = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    kind = scale if name == "scale" else _kind(definition)
    return {"subresource": name, "responseKind": kind, "verbs": _verbs_of_part(name)}


def _aggregated_part(virtual: Virtual) -> JSONObject:
    group, _, version = virtual.kind_group.partition("/")
    kind: JSONObject = {"group": group, "version": version, "kind": virtual.resource.kind}
    return {"subresource": virtual.resource.plural.partition("/")[2], "responseKind": kind, "verbs": ["create"]}


def _aggregated_virtual(virtual: Virtual) -> JSONObject:
    resource = virtual.resource
    kind: JSONObject = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": virtual.singular,
        "verbs": ["create"],
    }
