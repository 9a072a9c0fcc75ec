"""Update: the next state of an object, from a whole body or from a change of the present state."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver.conversion import obj_in
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.storage.store import Changed
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Answer, Call
from certwright.apiserver.verbs.confine import prepare
from certwright.apiserver.verbs.create import create_checked
from certwright.apiserver.verbs.incoming import check_body
from certwright.apiserver.verbs.preparation import carry_over, expect_found, is_created_by_put
from certwright.apiserver.verbs.refusals import modified
from certwright.apiserver.verbs.tracking import track
from certwright.apiserver.verbs.writing import accept, mutate, save_next
from certwright.kube.wire.json import JSONObject

TRIES = 6
# From the present state (a fresh copy, in the version of the request) to the wanted one.
Step = Callable[[JSONObject], JSONObject]


async def update(api: Api, call: Call, obj: JSONObject) -> Answer:
    """Replace an object by a body."""
    check_body(call, obj)
    if api.find(call.definition, call.key) is None and is_created_by_put(call.definition) and not call.subresource:
        return await create_checked(api, call, obj, is_applied=False)
    return await change(api, call, lambda _: _copied(obj), needs_present=False)


def _copied(obj: JSONObject) -> JSONObject:
    metadata = obj["metadata"]
    return {**obj, "metadata": dict(metadata)} if isinstance(metadata, dict) else dict(obj)


async def change(api: Api, call: Call, step: Step, *, is_applied: bool = False, needs_present: bool = True) -> Answer:
    """Bring an object to its next state; tried again where another write came between and the step names no state.

    A step that does not look at the present state spares its decoding.
    """
    for _ in range(TRIES):
        before = expect_found(call.definition, api.find(call.definition, call.key), call.name)
        try:
            old = obj_in(before, api.served.stored(call.definition), call.definition)
            present = obj_in(before, api.served.stored(call.definition), call.definition) if needs_present else {}
            return await _write_next(api, call, (before, old), step(present), is_applied=is_applied)
        except Changed:
            continue
    raise modified(call.definition, call.name)


async def _write_next(
    api: Api, call: Call, state: tuple[Stored, JSONObject], obj: JSONObject, *, is_applied: bool
) -> Answer:
    before, old = state
    carry_over(call, obj, before, old)
    obj = prepare(call.definition, obj, old, call.subresource)
    if not is_applied:
        track(api, call, old, obj)
    obj = await mutate(api, call, obj, old)
    await accept(api, call, obj, old)
    return save_next(api, call, before, obj)
