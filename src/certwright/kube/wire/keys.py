"""How an object is named within its resource."""

from __future__ import annotations

from typing import NamedTuple


class ObjectKey(NamedTuple):
    """Namespace (empty for cluster-scoped objects) and name; prints as `namespace/name`, or as the name alone."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
