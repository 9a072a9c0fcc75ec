"""One change of a policy, made on an object."""

from __future__ import annotations

import msgspec

from certwright.apiserver import objects
from certwright.apiserver.admission.policies.parsing import Mutation
from certwright.apiserver.admission.policies.programs import Evaluation
from certwright.apiserver.apply.server_side import refuse_unknown
from certwright.apiserver.apply.walk import TypedError, merge
from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.cel_expressions import Fault
from certwright.kube.wire.json import JSON, JSONObject, decode_json
from certwright.kube.wire.patches import PatchError, PatchTestFailed, apply_json_patch


def mutated(mutation: Mutation, evaluation: Evaluation, obj: JSONObject, version: Definition) -> JSONObject | Fault:
    """The object after the change; what was given is left as it is."""
    found = evaluation.evaluate(mutation.change)
    if isinstance(found, Fault):
        return Fault(f"expression '{mutation.change.text}' resulted in error: {found.why}")
    try:
        change = decode_json(msgspec.json.encode(found))
    except (TypeError, ValueError) as error:
        return Fault(f"expression '{mutation.change.text}' gives what is no JSON: {error}")
    if mutation.patch_type == "JSONPatch":
        return _patched(obj, change)
    return _applied(obj, change, version)


def _patched(obj: JSONObject, patch: JSON) -> JSONObject | Fault:
    try:
        changed = apply_json_patch(obj, patch)
    except PatchTestFailed:
        # As the API server: a test that fails takes its patch back and refuses nothing.
        return obj
    except PatchError as error:
        return Fault(f"JSON Patch: {error}")
    return objects.copy(changed) if isinstance(changed, dict) else Fault("JSON Patch: no object is left")


def _applied(obj: JSONObject, change: JSON, version: Definition) -> JSONObject | Fault:
    if not isinstance(change, dict):
        return Fault("error applying patch: the expression gives no object")
    try:
        refuse_unknown(version.schema.root, change)
        merged = merge(version.schema.root, obj, change)
    except TypedError as error:
        return Fault(f"error applying patch: failed to convert patch object to typed object: {error}")
    return objects.copy(merged) if isinstance(merged, dict) else obj
