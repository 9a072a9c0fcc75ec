"""Admission in one process: the embedded API server is handed the webhook's answers as functions."""

from __future__ import annotations

import msgspec

from certwright.api.core_kinds import NAMESPACE
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, Label
from certwright.apiserver.admission.review import Hooks, Review
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import Unreachable
from certwright.kube.wire.json import JSONObject, decode_object
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.patches import apply_json_patch
from certwright.kube.wire.status import ApiError, Status, error_of
from certwright.rules.identity import Requester
from certwright.webhook.admission import Admission
from certwright.webhook.review import Allowed, Answer, Question, Refused

GROUPS = {CERT_MANAGER_GROUP, ACME_GROUP}
# The words in which an API server relays a refusal, so that nobody need tell the two apart.
DENIED = 'admission webhook "webhook.cert-manager.io" denied the request: '


def admission_hooks(admission: Admission, client: KubeClient) -> Hooks:
    """What the registration in `deploy/webhook` is for a cluster."""

    async def mutate(review: Review) -> JSONObject:
        assert review.obj is not None
        if review.operation != "CREATE" or review.definition.resource.group not in GROUPS:
            return review.obj
        answer = admission.mutate(_question(review))
        _warn(review, answer)
        match answer:
            case Refused():
                raise _refusal(answer)
            case Allowed(patch=patch) if patch:
                changed = apply_json_patch(_copy(review.obj), list(patch))
                assert isinstance(changed, dict)
                return changed
        return review.obj

    async def validate(review: Review) -> None:
        if review.definition.resource.group not in GROUPS or review.operation == "DELETE":
            return
        answer = await admission.validate(_question(review))
        if isinstance(answer, Refused) and not await _is_left_out(client, review.namespace):
            raise _refusal(answer)
        _warn(review, answer)

    return Hooks((mutate,), (validate,))


def _question(review: Review) -> Question:
    caller, resource = review.caller, review.definition.resource
    return Question(
        operation=review.operation,
        group=resource.group,
        plural=resource.plural,
        subresource=review.subresource,
        namespace=review.namespace,
        requester=Requester(username=caller.name, uid=caller.uid, groups=caller.groups, extra=caller.extra),
        object=msgspec.json.encode(review.obj) if review.obj is not None else b"",
        old=msgspec.json.encode(review.old) if review.old is not None else b"",
    )


def _copy(obj: JSONObject) -> JSONObject:
    return decode_object(msgspec.json.encode(obj))


def _warn(review: Review, answer: Answer) -> None:
    review.warnings.extend(answer.warnings)


def _refusal(answer: Refused) -> ApiError:
    return error_of(Status(message=DENIED + answer.message, reason=answer.reason, code=answer.code))


async def _is_left_out(client: KubeClient, namespace: str) -> bool:
    """Whether the namespace has the label that switches validation off."""
    if not namespace:
        return False
    try:
        found = await client.get(NAMESPACE, ObjectKey("", namespace))
    except (ApiError, Unreachable):
        return False
    return found.metadata.labels.get(Label.DISABLE_VALIDATION) == "true"
