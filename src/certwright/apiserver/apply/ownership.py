"""What a write does to the fields of the other managers, and which fields nobody owns."""

from __future__ import annotations

from certwright.apiserver.apply.fieldset import EMPTY, FieldSet, Path, without_prefixes
from certwright.apiserver.apply.managers import Manager, Owned, Owners, Writer
from certwright.apiserver.apply.walk import Changes, compare
from certwright.apiserver.schema.node import Node
from certwright.kube.wire.json import JSONObject

# What identifies or counts an object, and so belongs to no manager.
_UNOWNED = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    }
)


def ownable(fields: FieldSet, writer: Writer) -> FieldSet:
    """The fields that the writer can own: not those that the write resets, nor those that nobody owns."""
    prefixes: list[Path] = [(f"f:{name}",) for name in writer.ignored]
    return without_prefixes(fields, prefixes) - _UNOWNED


def changes_by(writer: Writer, node: Node, old: JSONObject | None, new: JSONObject) -> Changes:
    """The differences that count as the writer's; managed fields never do."""
    found = compare(node, _bare(old) if old is not None else {}, _bare(new))
    prefixes: list[Path] = [(f"f:{name}",) for name in writer.ignored]
    return Changes(
        added=set(without_prefixes(frozenset(found.added), prefixes)),
        modified=set(without_prefixes(frozenset(found.modified), prefixes)),
        removed=set(without_prefixes(frozenset(found.removed), prefixes)),
    )


def _bare(obj: JSONObject) -> JSONObject:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def conflicts(owners: Owners, changes: Changes, writer: Manager) -> dict[Manager, FieldSet]:
    """The fields of others that the changes touch."""
    touched = changes.added | changes.modified
    found = {manager: owned.fields & touched for manager, owned in owners.items() if manager != writer}
    return {manager: fields for manager, fields in found.items() if fields}


def take_from_others(owners: Owners, changes: Changes, writer: Manager | None) -> Owners:
    """The owners after the changes: others lose what was changed or removed; who owns nothing is dropped."""
    lost = changes.added | changes.modified | changes.removed
    left: Owners = {}
    for manager, owned in owners.items():
        fields = owned.fields if manager == writer else owned.fields - lost
        if fields or manager == writer:
            left[manager] = Owned(fields or EMPTY, owned.api_version, owned.time)
    return left
