"""Create."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.apiserver import objects
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Answer, Call
from certwright.apiserver.verbs.incoming import check_body
from certwright.apiserver.verbs.preparation import check_namespace, stamp_new
from certwright.apiserver.verbs.tracking import track
from certwright.apiserver.verbs.writing import accept, mutate, save_new
from certwright.kube.wire.json import JSONObject


async def create(api: Api, call: Call, obj: JSONObject) -> Answer:
    """Store a new object; `obj` is taken over."""
    check_body(call, obj)
    return await create_checked(api, call, obj, is_applied=False)


async def create_checked(api: Api, call: Call, obj: JSONObject, *, is_applied: bool) -> Answer:
    """Store a new object whose body has been checked; an applied one carries its managers already."""
    stamp_new(api, obj)
    call = replace(call, name=objects.text(objects.meta(obj), "name"))
    check_namespace(api, call)
    call.definition.prepare_create(obj, api.clock.now())
    call.definition.hooks.note_caller(obj, call.caller)
    if not is_applied:
        track(api, call, None, obj)
    obj = await mutate(api, call, obj, None)
    await accept(api, call, obj, None)
    return save_new(api, call, obj)
