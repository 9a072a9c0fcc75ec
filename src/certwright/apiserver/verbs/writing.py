"""The last steps of a write: admission, validation, and the store."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.apiserver import objects
from certwright.apiserver.admission.review import Operation, Review
from certwright.apiserver.conversion import convert, storage_key
from certwright.apiserver.schema.causes import Cause
from certwright.apiserver.schema.node import same
from certwright.apiserver.storage.database import WriteFailed
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.storage.store import Changed, Taken, object_key
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Answer, Call, as_options
from certwright.apiserver.verbs.incoming import unreadable
from certwright.apiserver.verbs.refusals import invalid, patch_invalid
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import InternalError, already_exists

_OPTIONS: dict[Operation, str] = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


def review(call: Call, operation: Operation, obj: JSONObject | None, old: JSONObject | None) -> Review:
    """The question to admission functions."""
    return Review(
        operation=operation,
        definition=call.definition,
        namespace=call.namespace,
        name=call.name,
        subresource=call.subresource,
        obj=obj,
        old=old,
        caller=call.caller,
        dry_run=call.options.dry_run,
        options=as_options(call, _OPTIONS[operation]),
        warnings=call.warnings,
    )


async def mutate(api: Api, call: Call, obj: JSONObject, old: JSONObject | None) -> JSONObject:
    """The object after all mutating functions."""
    operation: Operation = "CREATE" if old is None else "UPDATE"
    before = obj
    for change in api.hooks.mutate:
        obj = await change(review(call, operation, obj, old))
    if obj is not before:
        call.definition.schema.prune(obj)
        call.definition.default(obj)
    return obj


async def accept(api: Api, call: Call, obj: JSONObject, old: JSONObject | None) -> None:
    """Raise Invalid where the object breaks rules, or what a validating function raises."""
    _refuse(call, obj, call.definition.validate(obj, old, call.subresource, call.warnings))
    operation: Operation = "CREATE" if old is None else "UPDATE"
    for check in api.hooks.validate:
        await check(review(call, operation, obj, old))


def _refuse(call: Call, obj: JSONObject, causes: list[Cause]) -> None:
    if not causes:
        return
    # A default in a schema that is of the wrong type is a fault of what the object says, not of its form.
    wrong = [c for c in causes if c.reason == "FieldValueTypeInvalid" and "openAPIV3Schema" not in c.field]
    if call.definition.built_in and wrong:
        # A real server reads these kinds into types and gets no further than the first value that does not fit.
        words = "; ".join(f"{cause.field}: {cause.message}" for cause in wrong)
        raise (
            patch_invalid(objects.encode(obj).decode(), words) if call.is_patch else unreadable(call.definition, words)
        )
    raise invalid(call.definition, call.name, causes)


def save_new(api: Api, call: Call, obj: JSONObject) -> Answer:
    """Store a new object, or only say what would be stored."""
    target = api.served.stored(call.definition)
    resource = target.resource
    final = objects.canonical(convert(obj, call.definition, target), resource.api_version, resource.kind)
    key = object_key(final)
    qualified = call.definition.resource.qualified
    if call.options.dry_run:
        if api.store.get(storage_key(target), key) is not None:
            raise already_exists(qualified, key.name)
        return Answer(Stored.of(key, 0, objects.encode(final), final), 201)
    try:
        return Answer(api.store.create(storage_key(target), final), 201)
    except Taken:
        raise already_exists(qualified, key.name) from None
    except WriteFailed as error:
        raise InternalError.of(str(error)) from error


def save_next(api: Api, call: Call, before: Stored, obj: JSONObject) -> Answer:
    """Store the next state; an object that was only waiting for its finalizers goes. Raises Changed when overtaken."""
    target = api.served.stored(call.definition)
    resource = target.resource
    final = objects.canonical(convert(obj, call.definition, target), resource.api_version, resource.kind)
    objects.meta(final)["resourceVersion"] = str(before.revision)
    key = storage_key(target)
    is_going = _is_finished(final)
    if not is_going and same(final, before.obj()):
        present = api.store.get(key, before.key)
        if present is None or present.revision != before.revision:
            raise Changed
        return Answer(before)
    if call.options.dry_run:
        return Answer(replace(before, body=objects.encode(final)), is_gone=is_going)
    try:
        if is_going:
            return Answer(api.store.remove(key, before, final), is_gone=True)
        return Answer(api.store.replace(key, before, final))
    except WriteFailed as error:
        raise InternalError.of(str(error)) from error


def _is_finished(obj: JSONObject) -> bool:
    metadata = objects.meta(obj)
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    # A namespace goes when its own list of finalizers is empty too.
    is_namespace = obj.get("kind") == "Namespace" and obj.get("apiVersion") == "v1"
    return not (is_namespace and objects.child(obj, "spec").get("finalizers"))
