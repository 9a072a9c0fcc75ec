"""Delete: at once, or marked until the finalizers are gone."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.apiserver import objects
from certwright.apiserver.conversion import obj_in, storage_key
from certwright.apiserver.schema.causes import not_supported
from certwright.apiserver.storage.database import WriteFailed
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.storage.store import Changed
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Answer, Call, DeleteOptions
from certwright.apiserver.verbs.refusals import modified, options_invalid, precondition
from certwright.apiserver.verbs.update import TRIES
from certwright.apiserver.verbs.writing import FOREGROUND, ORPHAN, review
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import NAMESPACES
from certwright.kube.wire.status import Forbidden, InternalError, StatusDetails

# Namespaces that no client can delete.
IMMORTAL = frozenset({"default", "kube-public", "kube-system"})
_POLICIES = {"Background": "", "Foreground": FOREGROUND, "Orphan": ORPHAN}


def check_propagation(options: DeleteOptions) -> None:
    """Refuse an unknown propagationPolicy."""
    if options.propagation and options.propagation not in _POLICIES:
        cause = not_supported("propagationPolicy", options.propagation, ("Foreground", "Background", "Orphan", "nil"))
        raise options_invalid("DeleteOptions", [cause])


async def delete(api: Api, call: Call, options: DeleteOptions) -> Answer:
    """Delete an object, or mark it where finalizers (its own, or those of the propagation policy) hold it."""
    check_propagation(options)
    _check_immortal(call)
    for _ in range(TRIES):
        before = api.get(call.definition, call.key)
        _check_preconditions(call, before, options)
        old = obj_in(before, api.served.stored(call.definition), call.definition)
        for check in api.hooks.validate:
            await check(review(call, "DELETE", None, old))
        try:
            return delete_stored(api, call, before, options)
        except Changed:
            continue
    raise modified(call.definition, call.name)


def _check_immortal(call: Call) -> None:
    if call.definition.resource == NAMESPACES and call.name in IMMORTAL:
        message = f'namespaces "{call.name}" is forbidden: this namespace may not be deleted'
        raise Forbidden.of(message, StatusDetails(name=call.name, kind=NAMESPACES.plural))


def _check_preconditions(call: Call, before: Stored, options: DeleteOptions) -> None:
    if options.uid and options.uid != before.uid:
        raise precondition(call.definition, call.name, "UID", options.uid, before.uid)
    if options.revision and options.revision != str(before.revision):
        revision = str(before.revision)
        raise precondition(call.definition, call.name, "ResourceVersion", options.revision, revision)


def delete_stored(api: Api, call: Call, before: Stored, options: DeleteOptions) -> Answer:
    """Take the object away, or mark it; raises Changed when overtaken."""
    key = storage_key(call.definition)
    obj = before.obj()
    _put_policy(obj, options)
    is_held = bool(objects.meta(obj).get("finalizers")) or _holds_content(call, obj)
    if is_held:
        _mark(api, call, obj)
    if options.dry_run:
        return Answer(replace(before, body=objects.encode(obj)), is_gone=not is_held)
    try:
        if not is_held:
            return Answer(api.store.remove(key, before), is_gone=True)
        if obj == before.obj():
            return Answer(before)
        return Answer(api.store.replace(key, before, obj))
    except WriteFailed as error:
        raise InternalError.of(str(error)) from error


def _put_policy(obj: JSONObject, options: DeleteOptions) -> None:
    if not options.propagation:
        return
    metadata = objects.meta(obj)
    finalizers = [name for name in objects.texts(metadata, "finalizers") if name not in {FOREGROUND, ORPHAN}]
    wanted = _POLICIES[options.propagation]
    if wanted:
        finalizers.append(wanted)
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    else:
        metadata.pop("finalizers", None)


def _holds_content(call: Call, obj: JSONObject) -> bool:
    return call.definition.resource == NAMESPACES and bool(objects.child(obj, "spec").get("finalizers"))


def _mark(api: Api, call: Call, obj: JSONObject) -> None:
    metadata = objects.meta(obj)
    if metadata.get("deletionTimestamp"):
        return
    metadata["deletionTimestamp"] = objects.timestamp(api.clock.now())
    if call.definition.resource == NAMESPACES:
        objects.ensure(obj, "status")["phase"] = "Terminating"
        return
    metadata["deletionGracePeriodSeconds"] = 0
    generation = metadata.get("generation")
    if isinstance(generation, int) and generation > 0:
        metadata["generation"] = generation + 1
