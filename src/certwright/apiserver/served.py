"""Which resources the server offers at this moment: the built-in ones, and those of established definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from certwright.apiserver.conversion import is_alias, storage_key
from certwright.apiserver.definition import Definition
from certwright.apiserver.version_order import version_order


class Served:
    """Definitions by path and by kind. Versions of one resource share their objects under `storage_key`."""

    def __init__(self, built_in: Iterable[Definition]) -> None:
        self._built_in = tuple(built_in)
        self._custom: dict[str, tuple[Definition, ...]] = {}
        self._by_path: dict[tuple[str, str, str], Definition] = {}
        self._by_kind: dict[tuple[str, str, str], Definition] = {}
        self._stored: dict[str, Definition] = {}
        self._listeners: list[Callable[[], None]] = []
        self.generation = 0
        self._index()

    def put_custom(self, name: str, definitions: tuple[Definition, ...]) -> None:
        """Serve the versions of one CustomResourceDefinition from now on."""
        self._custom[name] = definitions
        self._index()

    def drop_custom(self, name: str) -> None:
        """Stop serving a CustomResourceDefinition."""
        if self._custom.pop(name, None) is not None:
            self._index()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call after each change of what is served."""
        self._listeners.append(listener)

    def find(self, group: str, version: str, plural: str) -> Definition | None:
        """What a path means."""
        return self._by_path.get((group, version, plural))

    def find_kind(self, api_version: str, kind: str) -> Definition | None:
        """What an object with these is."""
        group, _, version = api_version.rpartition("/")
        return self._by_kind.get((group, version, kind))

    def stored(self, definition: Definition) -> Definition:
        """The version in which objects of the resource are stored."""
        return self._stored[storage_key(definition)]

    def by_storage_key(self, key: str) -> Definition | None:
        """The version in which the objects under a key are stored; None where the resource is not served."""
        return self._stored.get(key)

    def all(self) -> list[Definition]:
        """All served versions of all resources."""
        return list(self._by_path.values())

    def storage(self) -> list[Definition]:
        """Each resource once, in the version in which it is stored."""
        return list(self._stored.values())

    def versions(self) -> dict[str, list[str]]:
        """Groups with their versions, the preferred one first."""
        found: dict[str, list[str]] = {}
        for definition in self._by_path.values():
            versions = found.setdefault(definition.resource.group, [])
            if definition.resource.version not in versions:
                versions.append(definition.resource.version)
        return {group: sorted(versions, key=version_order) for group, versions in found.items()}

    def _index(self) -> None:
        self._by_path, self._by_kind, self._stored = {}, {}, {}
        custom = (definition for definitions in self._custom.values() for definition in definitions)
        for definition in (*self._built_in, *custom):
            resource = definition.resource
            if definition.storage and not is_alias(definition):
                self._stored[storage_key(definition)] = definition
            if definition.served:
                self._by_path[resource.group, resource.version, resource.plural] = definition
                self._by_kind[resource.group, resource.version, resource.kind] = definition
        self.generation += 1
        for listener in self._listeners:
            listener()
