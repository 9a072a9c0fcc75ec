"""A structural schema, compiled once: pruning, defaulting and validation of objects."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.apiserver.schema.causes import NOWHERE, Cause, invalid
from certwright.apiserver.schema.check import compile_check
from certwright.apiserver.schema.defaults import compile_defaulter
from certwright.apiserver.schema.node import Node, parse_node
from certwright.apiserver.schema.object_meta import META_NODE, tidy_meta
from certwright.apiserver.schema.prune import compile_pruner
from certwright.apiserver.schema.ratchet import new_faults
from certwright.apiserver.schema.rules import RuleSet
from certwright.apiserver.schema.uniqueness import compile_uniqueness
from certwright.kube.wire.json import JSONObject

# Faults after which the API server does not evaluate CEL rules, because types are not what the rules expect.
_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_TYPE_AND_META = ("apiVersion", "kind", "metadata")


class StructuralSchema:
    """The schema of one version of one kind; safe to share, holds no state of objects."""

    def __init__(self, openapi: JSONObject, root: Node) -> None:
        self.openapi = openapi
        self.root = _with_meta(root)
        self._check = compile_check(root)
        self._unique = compile_uniqueness(root)
        self._prune = compile_pruner(self.root)
        self._fill = compile_defaulter(root)
        self._rules = RuleSet(root)

    @classmethod
    def compile(cls, openapi: JSONObject, typed: bool = False) -> StructuralSchema:
        """The compiled form of an `openAPIV3Schema`; `typed` for built-in kinds, where a null is an absent field.

        Raises ValueError where a pattern is not valid for RE2, or a rule does not compile.
        """
        return cls(openapi, parse_node(openapi, drops_null=typed))

    def prune(self, obj: JSONObject) -> list[str]:
        """Drop unknown fields in place; their sorted paths (`spec.foo`, `spec.list[0].x`)."""
        dropped: list[str] = []
        self._prune(obj, "", dropped)
        tidy_meta(obj)
        dropped.sort()
        return dropped

    def default(self, obj: JSONObject) -> None:
        """Fill in defaults in place."""
        if self._fill is not None:
            self._fill(obj)

    def validate(
        self, obj: JSONObject, old: JSONObject | None = None, warnings: list[str] | None = None
    ) -> list[Cause]:
        """The faults of `obj` in the API server's words; with `old`, those that the change brings in.

        Rules that were broken before and still are give no fault; they are added to `warnings`.
        """
        found: list[Cause] = []
        if self._check is not None:
            self._check(obj, "", found)
            found = list(dict.fromkeys(found))
        if found and old is not None:
            found = new_faults(found, self.root, obj, old)
        repeated = self._repeated(obj)
        if repeated and not (old is not None and self._repeated(old)):
            found += repeated
        if not self._rules.is_empty:
            found += self._broken_rules(obj, old, found, warnings)
        return found

    def _repeated(self, obj: JSONObject) -> list[Cause]:
        found: list[Cause] = []
        if self._unique is not None:
            self._unique(obj, "", found)
        return found

    def _broken_rules(
        self, obj: JSONObject, old: JSONObject | None, found: list[Cause], warnings: list[str] | None
    ) -> list[Cause]:
        if any(cause.reason in _BLOCKING for cause in found):
            return [invalid(NOWHERE, None, _UNCHECKED)]
        report = self._rules.validate(obj, old)
        if warnings is not None:
            warnings.extend(report.warnings)
        return report.causes


def _with_meta(root: Node) -> Node:
    """The root as pruning and apply see it: type and metadata belong to every object."""
    text = parse_node({"type": "string"})
    known = {"apiVersion": text, "kind": text, **root.properties, "metadata": META_NODE}
    return replace(root, properties=known)
