"""Requests for resources: from path, query and body to a verb, and its outcome to an answer."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from certwright.apiserver import objects
from certwright.apiserver.asked import Asked
from certwright.apiserver.caller import Caller
from certwright.apiserver.definition import Definition
from certwright.apiserver.http.accept import Form, content_type, negotiate
from certwright.apiserver.http.answers import JSON_TYPE, reply, success
from certwright.apiserver.http.bodies import (
    check_object_type,
    check_patch_type,
    decode_body,
    decode_object,
    doubled_members,
    read_body,
)
from certwright.apiserver.http.query import Query
from certwright.apiserver.http.render import Renderer
from certwright.apiserver.http.watching import Watch, Watches, watch_options
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Answer, Call
from certwright.apiserver.verbs.create import create
from certwright.apiserver.verbs.delete import delete
from certwright.apiserver.verbs.patch import APPLY_PATCH, patch
from certwright.apiserver.verbs.read import Page, list_objects
from certwright.apiserver.verbs.scale import change_scale, read_scale, update_scale
from certwright.apiserver.verbs.update import update
from certwright.apiserver.watch.selection import Selection, select
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import ApiError, MethodNotAllowed, NotFound

_ON_A_PART = frozenset({"get", "update", "patch"})
_ON_ONE = frozenset({"get", "watch", "update", "patch", "delete"})
_ON_ALL_NAMESPACES = frozenset({"list", "watch"})
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}


class Inquiry(Struct, frozen=True):
    """A request with what the door found out about it."""

    request: web.BaseRequest
    asked: Asked
    query: Query
    caller: Caller

    @property
    def form(self) -> Form:
        """The form in which the client wants its answer."""
        return negotiate(self.request.headers.get("Accept", ""))


def no_such_path() -> ApiError:
    """The answer for paths that name nothing."""
    return NotFound.of("the server could not find the requested resource")


class Resources:
    """All verbs on all served resources."""

    def __init__(self, api: Api, watches: Watches) -> None:
        self._api = api
        self._watches = watches
        self._verbs = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def answer(self, inquiry: Inquiry) -> web.StreamResponse:
        """The answer to a request for a resource."""
        asked = inquiry.asked
        definition = self._api.served.find(asked.group, asked.version, asked.plural)
        if definition is None or (asked.namespace and not _may_have_namespace(definition, asked)):
            raise no_such_path()
        _check_verb(definition, asked)
        return await self._verbs[asked.verb](inquiry, definition)

    def _renderer(self, inquiry: Inquiry, definition: Definition) -> Renderer:
        return Renderer(
            definition,
            self._api.served.stored(definition),
            inquiry.form,
            inquiry.query.text("includeObject"),
            self._api.clock,
        )

    def _call(self, inquiry: Inquiry, definition: Definition, doubled: list[str] | None = None) -> Call:
        asked, agent = inquiry.asked, inquiry.request.headers.get("User-Agent", "")
        media = content_type(inquiry.request.headers.get("Content-Type", ""))
        warnings = [definition.deprecation_warning] if definition.deprecation_warning else []
        return Call(
            definition=definition,
            namespace=asked.namespace if definition.resource.namespaced else "",
            name=asked.name,
            subresource=asked.subresource,
            caller=inquiry.caller,
            agent=agent,
            options=inquiry.query.options(_OPTIONS.get(asked.verb, "DeleteOptions"), is_apply=media == APPLY_PATCH),
            warnings=warnings,
            is_patch=asked.verb == "patch",
            doubled=doubled or [],
        )

    async def _get(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        call = self._call(inquiry, definition)
        stored = self._api.get(definition, call.key)
        if call.subresource == "scale":
            return await reply(inquiry.request, objects.encode(read_scale(self._api, call, stored)))
        return await self._one(inquiry, call, Answer(stored))

    async def _one(self, inquiry: Inquiry, call: Call, answer: Answer) -> web.StreamResponse:
        body = self._renderer(inquiry, call.definition).one(answer.stored)
        return await reply(inquiry.request, body, answer.code, call.warnings, _media(inquiry.form))

    def _selection(self, inquiry: Inquiry, definition: Definition) -> Selection:
        asked, query = inquiry.asked, inquiry.query
        fields = query.text("fieldSelector")
        if asked.name:
            fields = f"metadata.name={asked.name}" + (f",{fields}" if fields else "")
        namespace = asked.namespace if definition.resource.namespaced else ""
        stored = self._api.served.stored(definition)
        return select(definition, stored, namespace, query.text("labelSelector"), fields)

    async def _list(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        renderer = self._renderer(inquiry, definition)
        page = list_objects(self._api, self._selection(inquiry, definition), inquiry.query.paging())
        warnings = [definition.deprecation_warning] if definition.deprecation_warning else []
        return await reply(inquiry.request, renderer.page(page), 200, warnings, _media(inquiry.form))

    async def _watch(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        renderer = self._renderer(inquiry, definition)
        selection = self._selection(inquiry, definition)
        watch = Watch(self._api, selection, renderer, watch_options(inquiry.query))
        return await self._watches.serve(inquiry.request, watch, JSON_TYPE)

    async def _create(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        media = content_type(inquiry.request.headers.get("Content-Type", ""))
        check_object_type(media)
        body = await read_body(inquiry.request)
        call = self._call(inquiry, definition, _doubled(inquiry, body))
        # A create has no name in its path.
        answer = await create(self._api, replace(call, name=""), decode_object(body, media))
        return await self._one(inquiry, call, answer)

    async def _update(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        media = content_type(inquiry.request.headers.get("Content-Type", ""))
        check_object_type(media)
        body = await read_body(inquiry.request)
        call = self._call(inquiry, definition, _doubled(inquiry, body))
        obj = decode_object(body, media)
        if call.subresource == "scale":
            return await reply(inquiry.request, objects.encode(await update_scale(self._api, call, obj)))
        return await self._one(inquiry, call, await update(self._api, call, obj))

    async def _patch(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        media = content_type(inquiry.request.headers.get("Content-Type", ""))
        check_patch_type(media)
        body = await read_body(inquiry.request)
        call = self._call(inquiry, definition)
        change = decode_body(body, media)
        if call.subresource == "scale":
            return await reply(inquiry.request, objects.encode(await change_scale(self._api, call, media, change)))
        return await self._one(inquiry, call, await patch(self._api, call, media, change))

    async def _delete(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        call = self._call(inquiry, definition)
        options = inquiry.query.delete_options(await _options_body(inquiry))
        answer = await delete(self._api, replace(call, options=replace(call.options, dry_run=options.dry_run)), options)
        if answer.is_gone:
            resource = definition.resource
            body = success(call.name, resource.group, resource.plural, answer.stored.uid)
            return await reply(inquiry.request, body, 200, call.warnings)
        return await self._one(inquiry, call, answer)

    async def _delete_collection(self, inquiry: Inquiry, definition: Definition) -> web.StreamResponse:
        call = self._call(inquiry, definition)
        options = inquiry.query.delete_options(await _options_body(inquiry))
        call = replace(call, options=replace(call.options, dry_run=options.dry_run))
        gone: list[Stored] = []
        for item in list_objects(self._api, self._selection(inquiry, definition), inquiry.query.paging()).items:
            one = replace(call, namespace=item.key.namespace, name=item.key.name)
            try:
                gone.append((await delete(self._api, one, options)).stored)
            except NotFound:
                continue
        body = self._renderer(inquiry, definition).page(Page(gone, self._api.store.revision))
        return await reply(inquiry.request, body, 200, call.warnings, _media(inquiry.form))


def _media(form: Form) -> str:
    return "application/yaml" if form.is_yaml else JSON_TYPE


def _doubled(inquiry: Inquiry, body: bytes) -> list[str]:
    # Only a client that asked for it pays for the second reading.
    return doubled_members(body) if inquiry.query.text("fieldValidation") in {"Strict", "Warn"} else []


async def _options_body(inquiry: Inquiry) -> JSONObject:
    body = await read_body(inquiry.request)
    if not body.strip():
        return {}
    media = content_type(inquiry.request.headers.get("Content-Type", ""))
    check_object_type(media)
    return decode_object(body, media)


def _may_have_namespace(definition: Definition, asked: Asked) -> bool:
    return definition.resource.namespaced or (asked.plural == "namespaces" and asked.namespace == asked.name)


def _check_verb(definition: Definition, asked: Asked) -> None:
    if asked.subresource and asked.subresource not in definition.subresources:
        raise no_such_path()
    if asked.verb not in _allowed(definition, asked):
        raise MethodNotAllowed.of("the server does not allow this method on the requested resource")


def _allowed(definition: Definition, asked: Asked) -> frozenset[str]:
    """The verbs that a path of this form takes."""
    if asked.subresource:
        return _ON_A_PART
    if asked.name:
        return _ON_ONE
    if definition.resource.namespaced and not asked.namespace:
        return _ON_ALL_NAMESPACES
    # The whole of all namespaces is never deleted at once.
    return _ON_ALL_NAMESPACES | {"create"} | (frozenset() if asked.plural == "namespaces" else {"deletecollection"})
