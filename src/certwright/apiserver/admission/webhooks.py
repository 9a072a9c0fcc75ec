"""Calls of the stored webhook configurations."""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
import uuid
from typing import Literal

import aiohttp
import msgspec

from certwright.apiserver import objects
from certwright.apiserver.admission.matching import Webhook, is_selected, parse_webhooks
from certwright.apiserver.admission.request import admission_request
from certwright.apiserver.admission.review import Review
from certwright.apiserver.conversion import convert
from certwright.apiserver.definition import Definition
from certwright.apiserver.served import Served
from certwright.apiserver.storage.history import Change
from certwright.apiserver.storage.store import Store
from certwright.kube.wire.json import JSON, JSONObject, decode_json
from certwright.kube.wire.patches import PatchError, apply_json_patch
from certwright.kube.wire.status import BadRequest, InternalError, Status, error_of
from certwright.rest.connections import Connector

_GROUP = "admissionregistration.k8s.io"
_API_VERSION = "admission.k8s.io/v1"
# As the API server: an answer may be as large as a request.
LARGEST_ANSWER = 3 * 1024 * 1024
Phase = Literal["mutating", "validating"]


class _Failed(Exception):
    """The webhook gave no usable answer."""


class Webhooks:
    """The webhooks that are configured at the moment."""

    def __init__(self, store: Store, served: Served) -> None:
        self._store = store
        self._served = served
        self._known: dict[Phase, list[Webhook]] = {}
        self._contexts: dict[bytes, ssl.SSLContext] = {}
        self._session: aiohttp.ClientSession | None = None
        for phase in ("mutating", "validating"):
            store.listen(f"{phase}webhookconfigurations.{_GROUP}", self._forget)

    def _forget(self, _change: Change) -> None:
        self._known.clear()

    def _webhooks(self, phase: Phase) -> list[Webhook]:
        known = self._known.get(phase)
        if known is None:
            stored = self._store.list(f"{phase}webhookconfigurations.{_GROUP}")
            known = self._known[phase] = [webhook for each in stored for webhook in parse_webhooks(each.obj())]
        return known

    async def mutate(self, review: Review) -> JSONObject:
        """The object after all mutating webhooks that are concerned."""
        obj = review.obj
        assert obj is not None
        for webhook in self._webhooks("mutating"):
            version = self._concerned(webhook, review)
            if version is None:
                continue
            patched = await self._ask(webhook, msgspec.structs.replace(review, obj=obj), version)
            obj = patched if patched is not None else obj
        return obj

    async def validate(self, review: Review) -> None:
        """Raise where a validating webhook refuses."""
        asked = [
            (webhook, version)
            for webhook in self._webhooks("validating")
            if (version := self._concerned(webhook, review)) is not None
        ]
        if asked:
            await asyncio.gather(*(self._ask(webhook, review, version) for webhook, version in asked))

    def _concerned(self, webhook: Webhook, review: Review) -> Definition | None:
        # A webhook must not be able to stop its own removal.
        if review.definition.resource.group == _GROUP:
            return None
        if not is_selected(review, webhook.labels, webhook.namespaces, self._store):
            return None
        return webhook.covered(review, self._served)

    async def _ask(self, webhook: Webhook, review: Review, version: Definition) -> JSONObject | None:
        if review.dry_run and webhook.has_side_effects:
            raise BadRequest.of(f'admission webhook "{webhook.name}" does not support dry run')
        uid = str(uuid.uuid4())
        try:
            answer = await self._post(webhook, _question(uid, review, version))
            return _result(webhook, answer, uid, (review, version))
        except _Failed as failed:
            if webhook.is_optional:
                review.warnings.append(f"failed calling webhook {webhook.name}, failing open: {failed}")
                return None
            message = f'Internal error occurred: failed calling webhook "{webhook.name}": {failed}'
            raise InternalError.of(message) from failed

    async def _post(self, webhook: Webhook, question: JSONObject) -> JSONObject:
        if webhook.service:
            raise _Failed(
                f"service {webhook.service} cannot be reached: this server has no cluster network. "
                "Give the webhook a clientConfig.url."
            )
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=Connector())
        timeout = aiohttp.ClientTimeout(total=webhook.timeout.total_seconds())
        try:
            async with self._session.post(
                webhook.url,
                data=objects.encode(question),
                headers={"Content-Type": "application/json"},
                ssl=self._context(webhook.ca_bundle),
                timeout=timeout,
            ) as response:
                body = await response.content.read(LARGEST_ANSWER)
                if response.status != 200:
                    raise _Failed(f"{webhook.url} answered {response.status}")
                answer = decode_json(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _Failed(f"failed to call webhook: {webhook.url}: {str(error) or type(error).__name__}") from error
        return answer if isinstance(answer, dict) else {}

    def _context(self, bundle: bytes) -> ssl.SSLContext:
        known = self._contexts.get(bundle)
        if known is None:
            known = ssl.create_default_context(cadata=bundle.decode() if bundle else None)
            self._contexts[bundle] = known
        return known

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session:
            await self._session.close()


def _question(uid: str, review: Review, version: Definition) -> JSONObject:
    def shown(obj: JSONObject | None) -> JSON:
        return convert(obj, review.definition, version) if obj is not None else None

    request = admission_request(review, version)
    request |= {"uid": uid, "object": shown(review.obj), "oldObject": shown(review.old)}
    return {"kind": "AdmissionReview", "apiVersion": _API_VERSION, "request": request}


def _result(webhook: Webhook, answer: JSONObject, uid: str, shown: tuple[Review, Definition]) -> JSONObject | None:
    response = objects.child(answer, "response")
    if answer.get("apiVersion") != _API_VERSION or response.get("uid") != uid:
        raise _Failed("the answer is no AdmissionReview for this request")
    review, version = shown
    review.warnings.extend(objects.texts(response, "warnings"))
    if response.get("allowed") is not True:
        raise _denial(webhook.name, objects.child(response, "status"))
    patch = objects.text(response, "patch")
    if not patch or review.obj is None:
        return None
    try:
        changed = apply_json_patch(
            convert(review.obj, review.definition, version), decode_json(base64.b64decode(patch))
        )
    except (PatchError, ValueError, binascii.Error) as error:
        raise _Failed(f"its patch cannot be applied: {error}") from error
    return convert(objects.copy(changed), version, review.definition) if isinstance(changed, dict) else None


def _denial(name: str, given: JSONObject) -> Exception:
    code = given.get("code")
    said = objects.text(given, "message") or objects.text(given, "reason")
    denied = f'admission webhook "{name}" denied the request'
    status = Status(
        message=f"{denied}: {said}" if said else f"{denied} without explanation",
        reason=objects.text(given, "reason"),
        code=code if isinstance(code, int) and code >= 400 else 400,
    )
    return error_of(status)
