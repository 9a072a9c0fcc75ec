"""kubectl's annotation of client-side apply, from which it may go over to server-side apply without conflicts."""

from __future__ import annotations

import msgspec

from certwright.apiserver.apply.fieldset import EMPTY, FieldSet
from certwright.apiserver.apply.managers import Manager, Writer
from certwright.apiserver.apply.walk import TypedError, compare, field_set
from certwright.apiserver.objects import child, ensure, meta, text
from certwright.apiserver.schema.node import Node
from certwright.kube.wire.json import JSON, JSONObject

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
# Only kubectl under its own name is meant: whoever chooses another name has chosen conflicts.
_KUBECTL = "kubectl"


def remaining_conflicts(
    found: dict[Manager, FieldSet], live: JSONObject, writer: Writer, node: Node
) -> dict[Manager, FieldSet]:
    """The conflicts without those about fields that kubectl applied itself and that nobody has changed since."""
    if writer.manager != _KUBECTL:
        return found
    excused = _still_as_applied(live, node)
    left = {manager: fields - excused for manager, fields in found.items()}
    return {manager: fields for manager, fields in left.items() if fields}


def _still_as_applied(live: JSONObject, node: Node) -> FieldSet:
    written = text(child(meta(live), "annotations"), ANNOTATION)
    try:
        applied: JSON = msgspec.json.decode(written) if written else None
        if not isinstance(applied, dict):
            return EMPTY
        changes = compare(node, applied, live)
        return field_set(node, applied) - changes.modified - changes.removed
    except (msgspec.DecodeError, TypedError):
        return EMPTY


def renew_annotation(obj: JSONObject, applied: JSONObject, writer: Writer) -> None:
    """Keep the annotation, where there is one, what a client-side apply would find."""
    annotations = child(meta(obj), "annotations")
    if writer.manager != _KUBECTL or ANNOTATION not in annotations:
        return
    shown: JSONObject = {**applied, "metadata": {**child(applied, "metadata")}}
    others = {key: value for key, value in child(meta(shown), "annotations").items() if key != ANNOTATION}
    meta(shown)["annotations"] = dict(others)
    ensure(meta(obj), "annotations")[ANNOTATION] = msgspec.json.encode(shown, order="sorted").decode() + "\n"
