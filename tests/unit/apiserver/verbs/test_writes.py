"""Create, update, patch, apply and delete on a store, without HTTP."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from tests.unit.apiserver.parts import Parts, call, widget

from certwright.apiserver import objects
from certwright.apiserver.admission.review import Hooks, Review
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.verbs.call import DeleteOptions, Options
from certwright.apiserver.verbs.create import create
from certwright.apiserver.verbs.delete import delete
from certwright.apiserver.verbs.patch import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, patch
from certwright.apiserver.verbs.update import update
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    UnsupportedMediaType,
)


def meta(stored: Stored) -> JSONObject:
    return objects.meta(stored.obj())


async def make(parts: Parts, name: str = "w", **metadata: str | dict[str, str] | list[str]) -> Stored:
    return (await create(parts.api, call(parts.widgets), widget(name, "red", **metadata))).stored


async def test_create_sets_what_only_the_server_knows(parts: Parts) -> None:
    answer = await create(parts.api, call(parts.widgets), widget("w") | {"status": {"phase": "mine"}})

    obj = answer.stored.obj()
    assert answer.code == 201
    assert meta(answer.stored)["uid"] == "uid-2"
    assert meta(answer.stored)["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert meta(answer.stored)["generation"] == 1
    assert obj["spec"] == {"color": "red", "size": 3}
    assert "status" not in obj


async def test_a_name_is_generated_from_a_prefix(parts: Parts) -> None:
    obj = widget("")
    obj["metadata"] = {"generateName": "w-"}

    answer = await create(parts.api, call(parts.widgets), obj)

    assert answer.stored.key.name == "w-x0001"


async def test_a_taken_name_is_refused_in_the_servers_words(parts: Parts) -> None:
    await make(parts)

    with pytest.raises(AlreadyExists, match=r'widgets\.example\.com "w" already exists'):
        await make(parts)


async def test_create_in_a_namespace_that_is_not_there_is_not_found(parts: Parts) -> None:
    elsewhere = replace(call(parts.widgets), namespace="elsewhere")

    with pytest.raises(NotFound, match='namespaces "elsewhere" not found'):
        await create(parts.api, elsewhere, widget("w"))


async def test_create_in_a_terminating_namespace_is_forbidden_with_its_cause(parts: Parts) -> None:
    namespaces = parts.definition("", "namespaces")
    mortal: JSONObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mortal"}}
    await create(parts.api, call(namespaces), mortal)
    await delete(parts.api, call(namespaces, "mortal"), DeleteOptions())

    with pytest.raises(Forbidden) as refused:
        await create(parts.api, replace(call(parts.widgets), namespace="mortal"), widget("w"))

    details = refused.value.status.details
    assert details
    assert details.causes
    assert details.causes[0].reason == "NamespaceTerminating"


async def test_an_invalid_object_is_refused_with_causes(parts: Parts) -> None:
    with pytest.raises(Invalid) as refused:
        await create(parts.api, call(parts.widgets), widget("w", "blue"))

    assert str(refused.value).startswith('Widget.example.com "w" is invalid: spec.color: Unsupported value: "blue"')


@pytest.mark.parametrize("validation", ["Strict", "Warn", "Ignore"])
async def test_unknown_fields_are_dropped_and_said_as_asked(parts: Parts, validation: str) -> None:
    obj = widget("w") | {"extra": 1}
    asked = call(parts.widgets, options=Options(field_validation=validation))

    if validation == "Strict":
        with pytest.raises(BadRequest, match='strict decoding error: unknown field "extra"'):
            await create(parts.api, asked, obj)
        return
    answer = await create(parts.api, asked, obj)

    assert "extra" not in answer.stored.obj()
    assert asked.warnings == (['unknown field "extra"'] if validation == "Warn" else [])


async def test_dry_run_answers_but_stores_nothing(parts: Parts) -> None:
    before = parts.api.store.revision

    answer = await create(parts.api, call(parts.widgets, options=Options(dry_run=True)), widget("w"))

    assert answer.stored.key.name == "w"
    assert parts.api.store.revision == before


async def test_an_update_on_an_old_state_is_a_conflict(parts: Parts) -> None:
    first = await make(parts)
    changed = first.obj() | {"spec": {"color": "green", "size": 3}}
    await update(parts.api, call(parts.widgets, "w"), objects.copy(changed))

    with pytest.raises(Conflict, match="the object has been modified; please apply your changes to the latest version"):
        await update(parts.api, call(parts.widgets, "w"), changed)


async def test_an_update_of_a_custom_resource_must_name_its_state(parts: Parts) -> None:
    await make(parts)

    with pytest.raises(Invalid, match=r"metadata\.resourceVersion"):
        await update(parts.api, call(parts.widgets, "w"), widget("w", "green"))


async def test_an_update_that_changes_nothing_writes_nothing(parts: Parts) -> None:
    first = await make(parts)

    answer = await update(parts.api, call(parts.widgets, "w"), first.obj())

    assert answer.stored == first
    assert parts.api.store.revision == first.revision


async def test_generation_counts_changes_of_the_spec_only(parts: Parts) -> None:
    await make(parts)

    labelled = await patch(
        parts.api, call(parts.widgets, "w"), MERGE_PATCH, {"metadata": {"labels": {"a": "b"}, "generation": 7}}
    )
    changed = await patch(parts.api, call(parts.widgets, "w"), MERGE_PATCH, {"spec": {"size": 9}})

    assert meta(labelled.stored)["generation"] == 1
    assert meta(changed.stored)["generation"] == 2


async def test_status_and_spec_are_written_apart(parts: Parts) -> None:
    await make(parts)
    both: JSONObject = {"spec": {"size": 9}, "status": {"phase": "done"}}

    by_status = (await patch(parts.api, call(parts.widgets, "w", "status"), MERGE_PATCH, dict(both))).stored.obj()
    by_spec = (
        await patch(parts.api, call(parts.widgets, "w"), MERGE_PATCH, {"spec": {"size": 8}, "status": {"phase": "x"}})
    ).stored.obj()

    assert (by_status["spec"], by_status["status"]) == ({"color": "red", "size": 3}, {"phase": "done"})
    assert (by_spec["spec"], by_spec["status"]) == ({"color": "red", "size": 8}, {"phase": "done"})


async def test_patches_do_not_change_what_is_stored_in_place(parts: Parts) -> None:
    first = await make(parts)
    body = first.body

    await patch(parts.api, call(parts.widgets, "w"), JSON_PATCH, [{"op": "add", "path": "/spec/size", "value": 5}])

    assert first.body == body


async def test_a_failed_test_of_a_json_patch_is_invalid(parts: Parts) -> None:
    await make(parts)

    with pytest.raises(Invalid):
        await patch(parts.api, call(parts.widgets, "w"), JSON_PATCH, [{"op": "test", "path": "/spec/size", "value": 5}])


async def test_strategic_merge_is_for_built_in_kinds(parts: Parts) -> None:
    await make(parts)

    with pytest.raises(UnsupportedMediaType):
        await patch(parts.api, call(parts.widgets, "w"), STRATEGIC_PATCH, {"spec": {"size": 5}})


async def test_apply_creates_then_changes_and_repeats_without_a_write(parts: Parts) -> None:
    asked = call(parts.widgets, "w", options=Options(manager="app"))

    created = await patch(parts.api, asked, APPLY_PATCH, widget("w"))
    repeated = await patch(parts.api, asked, APPLY_PATCH, widget("w"))
    changed = await patch(parts.api, asked, APPLY_PATCH, widget("w", "green"))

    assert created.code == 201
    assert repeated.stored == created.stored
    assert changed.stored.obj()["spec"] == {"color": "green", "size": 3}


async def test_apply_refuses_fields_of_others_unless_forced(parts: Parts) -> None:
    await make(parts)
    theirs = call(parts.widgets, "w", options=Options(manager="app"))
    forced = call(parts.widgets, "w", options=Options(manager="app", force=True))

    with pytest.raises(Conflict, match=r"Apply failed with 1 conflict.*\.spec\.color"):
        await patch(parts.api, theirs, APPLY_PATCH, widget("w", "green"))
    answer = await patch(parts.api, forced, APPLY_PATCH, widget("w", "green"))

    assert objects.child(answer.stored.obj(), "spec")["color"] == "green"


async def test_apply_needs_a_manager(parts: Parts) -> None:
    with pytest.raises(Invalid, match="fieldManager: Required value"):
        await patch(parts.api, call(parts.widgets, "w"), APPLY_PATCH, widget("w"))


async def test_finalizers_hold_a_deleted_object_until_they_are_gone(parts: Parts) -> None:
    await make(parts, finalizers=["example.com/hold"])

    marked = await delete(parts.api, call(parts.widgets, "w"), DeleteOptions())
    gone = await patch(parts.api, call(parts.widgets, "w"), MERGE_PATCH, {"metadata": {"finalizers": None}})

    assert not marked.is_gone
    assert meta(marked.stored)["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert gone.is_gone
    assert parts.api.find(parts.widgets, marked.stored.key) is None


async def test_a_deleted_object_takes_no_new_finalizers(parts: Parts) -> None:
    await make(parts, finalizers=["example.com/hold"])
    await delete(parts.api, call(parts.widgets, "w"), DeleteOptions())

    with pytest.raises(Invalid, match="no new finalizers can be added"):
        await patch(
            parts.api,
            call(parts.widgets, "w"),
            MERGE_PATCH,
            {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}},
        )


@pytest.mark.parametrize("options", [DeleteOptions(uid="other"), DeleteOptions(revision="1")])
async def test_preconditions_of_a_delete_are_kept(parts: Parts, options: DeleteOptions) -> None:
    await make(parts)

    with pytest.raises(Conflict):
        await delete(parts.api, call(parts.widgets, "w"), options)


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
async def test_a_propagation_policy_holds_the_object_for_the_collector(
    parts: Parts, policy: str, finalizer: str
) -> None:
    await make(parts)

    answer = await delete(parts.api, call(parts.widgets, "w"), DeleteOptions(propagation=policy))

    assert meta(answer.stored)["finalizers"] == [finalizer]


async def test_writes_that_overtake_each_other_all_count(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Admission may wait; a patch that was overtaken meanwhile is made again on the new state."""

    async def linger(review: Review) -> None:
        for _ in range(3):
            await _turn()

    parts = Parts(tmp_path_factory.mktemp("data"), Hooks((), (linger,)))
    await make(parts)

    await asyncio.gather(
        patch(parts.api, call(parts.widgets, "w"), MERGE_PATCH, {"spec": {"size": 5}}),
        patch(parts.api, call(parts.widgets, "w"), MERGE_PATCH, {"metadata": {"labels": {"a": "b"}}}),
    )

    stored = parts.api.store.list("widgets.example.com")[0]
    assert stored.labels == {"a": "b"}
    assert objects.child(stored.obj(), "spec")["size"] == 5
    parts.database.close()


async def _turn() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


async def test_an_admission_function_may_change_and_refuse(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def paint(review: Review) -> JSONObject:
        assert review.obj is not None
        return review.obj | {"spec": {"color": "green"}}

    async def refuse_jane(review: Review) -> None:
        if review.operation == "DELETE" and review.caller.name == "jane":
            raise Forbidden.of("not you")

    parts = Parts(tmp_path_factory.mktemp("data"), Hooks((paint,), (refuse_jane,)))

    stored = await make(parts)
    with pytest.raises(Forbidden, match="not you"):
        await delete(parts.api, call(parts.widgets, "w"), DeleteOptions())

    assert stored.obj()["spec"] == {"color": "green", "size": 3}
    parts.database.close()
