"""Evaluation of `x-kubernetes-validations`."""

from __future__ import annotations

from certwright.apiserver.schema.causes import Cause
from certwright.apiserver.schema.node import Node
from certwright.kube.wire.json import JSONObject


class RuleSet:
    """All rules of a schema."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self.is_empty = True

    def validate(self, obj: JSONObject, old: JSONObject | None) -> list[Cause]:
        """The causes of broken rules."""
        return []
