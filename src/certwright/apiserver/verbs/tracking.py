"""Who owns which field: managedFields of updates, and the merge of applied configurations."""

from __future__ import annotations

from certwright.apiserver.apply.managers import Writer
from certwright.apiserver.apply.server_side import ApplyConflict, ApplyRefused, server_side_apply
from certwright.apiserver.apply.track import track_update
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Call
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import ApiError, BadRequest, Conflict, Status, StatusDetails


def track(api: Api, call: Call, old: JSONObject | None, obj: JSONObject) -> None:
    """Note in the managedFields of `obj` which fields this write changed; `old` is None for a create."""
    track_update(old, obj, _writer(api, call), call.definition.schema)


def applied_to(api: Api, call: Call, present: JSONObject | None, applied: JSONObject) -> JSONObject:
    """The present object (None: a new one) with an applied configuration merged in."""
    schema = call.definition.schema
    try:
        result = server_side_apply(present, applied, _writer(api, call), schema, call.options.force)
        schema.prune(result)
        return result
    except ApplyConflict as conflict:
        raise Conflict.of(str(conflict), StatusDetails(causes=conflict.causes)) from conflict
    except ApplyRefused as refused:
        if refused.is_request_fault:
            raise BadRequest.of(str(refused)) from refused
        raise ApiError(Status(message=str(refused), code=500)) from refused


def _writer(api: Api, call: Call) -> Writer:
    return Writer(call.manager, call.definition.resource.api_version, api.clock.now(), call.subresource, _ignored(call))


def _ignored(call: Call) -> tuple[str, ...]:
    """The top-level fields that a write through this endpoint leaves as they are."""
    if call.subresource == "status":
        known = call.definition.schema.root.properties
        return tuple(name for name in known if name not in {"status", "apiVersion", "kind"})
    return ("status",) if "status" in call.definition.subresources else ()
