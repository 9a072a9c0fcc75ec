"""The resources that are asked, not stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from aiohttp import web

from certwright.apiserver import objects
from certwright.apiserver.asked import Asked
from certwright.apiserver.auth.authenticate import Authenticator
from certwright.apiserver.auth.rights import Rights
from certwright.apiserver.auth.tokens import Account, Bound, TokenKeeper
from certwright.apiserver.caller import Caller, user_info
from certwright.apiserver.http.accept import content_type
from certwright.apiserver.http.answers import reply
from certwright.apiserver.http.bodies import check_object_type, decode_object, read_body
from certwright.apiserver.http.resources import Inquiry
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.virtual import VIRTUAL, Virtual
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import PODS, SECRETS, SERVICEACCOUNTS
from certwright.kube.wire.status import BadRequest, Invalid, MethodNotAllowed, StatusCause, StatusDetails, not_found

Review = Callable[[Inquiry], Awaitable[web.StreamResponse]]
_SHORTEST, _LONGEST = timedelta(minutes=10), timedelta(seconds=2**32)
_DEFAULT_LIFETIME = timedelta(hours=1)


class Reviews:
    """Answers to reviews of access and identity, and to requests for tokens."""

    def __init__(self, api: Api, authenticator: Authenticator, tokens: TokenKeeper, rights: Rights) -> None:
        self._api = api
        self._authenticator = authenticator
        self._tokens = tokens
        self._rights = rights
        self._answers: dict[str, Callable[[Inquiry, JSONObject], JSONObject]] = {
            "serviceaccounts/token": self._token,
            "tokenreviews": self._token_review,
            "selfsubjectreviews": self._self_review,
            "subjectaccessreviews": self._access_review,
            "selfsubjectaccessreviews": self._self_access_review,
            "selfsubjectrulesreviews": self._rules_review,
            "localsubjectaccessreviews": self._local_access_review,
        }

    def find(self, asked: Asked) -> Review | None:
        """Who answers this request, where it is for a review."""
        plural = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
        for virtual in VIRTUAL:
            resource = virtual.resource
            if (resource.group, resource.version, resource.plural) == (asked.group, asked.version, plural):
                return partial(self._answer, virtual)
        return None

    async def _answer(self, virtual: Virtual, inquiry: Inquiry) -> web.StreamResponse:
        if inquiry.asked.verb != "create":
            raise MethodNotAllowed.of("the server does not allow this method on the requested resource")
        media = content_type(inquiry.request.headers.get("Content-Type", ""))
        check_object_type(media)
        body = await read_body(inquiry.request)
        resource = virtual.resource
        given = decode_object(body, media)
        kind = objects.text(given, "kind") or resource.kind
        if kind != resource.kind:
            raise BadRequest.of(f"the object is a {kind}, the URL expects a {resource.kind}")
        answered = self._answers[resource.plural](inquiry, given)
        api_version = virtual.kind_group or resource.api_version
        return await reply(inquiry.request, objects.encode(objects.canonical(answered, api_version, kind)), 201)

    def _token(self, inquiry: Inquiry, given: JSONObject) -> JSONObject:
        namespace, name = inquiry.asked.namespace, inquiry.asked.name
        found = self._api.store.get(SERVICEACCOUNTS.qualified, ObjectKey(namespace, name))
        if found is None:
            raise not_found(SERVICEACCOUNTS.qualified, name)
        spec = objects.ensure(given, "spec")
        lifetime = _lifetime(spec, name)
        bound = self._bound(namespace, objects.child(spec, "boundObjectRef"))
        audiences = objects.texts(spec, "audiences") or [self._tokens.issuer]
        token = self._tokens.issue(Account(namespace, name, found.uid), audiences, lifetime, bound)
        now = self._api.clock.now()
        spec["audiences"], spec["expirationSeconds"] = list(audiences), int(lifetime.total_seconds())
        metadata: JSONObject = {
            "name": name,
            "namespace": namespace,
            "creationTimestamp": objects.timestamp(now),
        }
        status: JSONObject = {"token": token, "expirationTimestamp": objects.timestamp(now + lifetime)}
        return {"metadata": metadata, "spec": spec, "status": status}

    def _bound(self, namespace: str, reference: JSONObject) -> Bound | None:
        if not reference:
            return None
        kind, name = objects.text(reference, "kind"), objects.text(reference, "name")
        resource = {"Pod": PODS, "Secret": SECRETS}.get(kind)
        if resource is None:
            raise BadRequest.of(f"cannot bind token for serviceaccount to object of kind {kind!r}; use Pod or Secret")
        found = self._api.store.get(resource.qualified, ObjectKey(namespace, name))
        if found is None:
            raise not_found(resource.qualified, name)
        return Bound(kind, name, found.uid)

    def _token_review(self, _inquiry: Inquiry, given: JSONObject) -> JSONObject:
        spec = objects.child(given, "spec")
        token = objects.text(spec, "token")
        if not token:
            raise BadRequest.of("token is required for TokenReview in authentication")
        audiences = tuple(objects.texts(spec, "audiences"))
        caller = self._authenticator.token_caller(token, audiences)
        status: JSONObject = {"user": {}, "error": "the token is not valid here"}
        if caller:
            status = {
                "authenticated": True,
                "user": user_info(caller),
                "audiences": self._tokens.audiences_in(token, audiences or (self._tokens.issuer,)),
            }
        return {**given, "status": status}

    def _self_review(self, inquiry: Inquiry, _given: JSONObject) -> JSONObject:
        metadata: JSONObject = {"creationTimestamp": objects.timestamp(self._api.clock.now())}
        return {"metadata": metadata, "status": {"userInfo": user_info(inquiry.caller)}}

    def _access_review(self, _inquiry: Inquiry, given: JSONObject) -> JSONObject:
        spec = objects.child(given, "spec")
        user, groups = objects.text(spec, "user"), tuple(objects.texts(spec, "groups"))
        if not user and not groups:
            raise _invalid(
                "SubjectAccessReview", "spec.user", 'Invalid value: "": at least one of user or group must be specified'
            )
        return {**given, "status": self._decide(Caller(user, groups, objects.text(spec, "uid")), spec)}

    def _self_access_review(self, inquiry: Inquiry, given: JSONObject) -> JSONObject:
        return {**given, "status": self._decide(inquiry.caller, objects.child(given, "spec"))}

    def _local_access_review(self, inquiry: Inquiry, given: JSONObject) -> JSONObject:
        wanted = objects.child(objects.child(given, "spec"), "resourceAttributes")
        if objects.text(wanted, "namespace") != inquiry.asked.namespace:
            message = f'Invalid value: "{objects.text(wanted, "namespace")}": must match metadata.namespace'
            raise _invalid("LocalSubjectAccessReview", "spec.resourceAttributes.namespace", message)
        return self._access_review(inquiry, given)

    def _decide(self, caller: Caller, spec: JSONObject) -> JSONObject:
        wanted, path = objects.child(spec, "resourceAttributes"), objects.child(spec, "nonResourceAttributes")
        if wanted:
            is_allowed = self._rights.allows(caller, _asked(wanted))
        elif path:
            is_allowed = self._rights.allows_path(caller, objects.text(path, "verb"), objects.text(path, "path"))
        else:
            message = (
                "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
            )
            raise _invalid("SubjectAccessReview", "spec.resourceAttributes", message)
        return {"allowed": is_allowed}

    def _rules_review(self, inquiry: Inquiry, given: JSONObject) -> JSONObject:
        namespace = objects.text(objects.child(given, "spec"), "namespace")
        if not namespace:
            raise BadRequest.of("no namespace on request")
        resources, paths = self._rights.rules(inquiry.caller, namespace)
        status: JSONObject = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
        return {**given, "status": status}


def _asked(wanted: JSONObject) -> Asked:
    return Asked(
        objects.text(wanted, "verb"),
        objects.text(wanted, "group"),
        objects.text(wanted, "version"),
        objects.text(wanted, "resource"),
        objects.text(wanted, "namespace"),
        objects.text(wanted, "name"),
        objects.text(wanted, "subresource"),
    )


def _lifetime(spec: JSONObject, name: str) -> timedelta:
    seconds = spec.get("expirationSeconds")
    if seconds is None:
        return _DEFAULT_LIFETIME
    if not isinstance(seconds, int) or timedelta(seconds=min(seconds, 2**40)) < _SHORTEST:
        message = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        raise _invalid("TokenRequest", "spec.expirationSeconds", message, name)
    if timedelta(seconds=min(seconds, 2**40)) > _LONGEST:
        message = "Too long: may not specify a duration larger than 2^32 seconds"
        raise _invalid("TokenRequest", "spec.expirationSeconds", message, name)
    return timedelta(seconds=seconds)


def _invalid(kind: str, field: str, message: str, name: str = "") -> Exception:
    group = "authentication.k8s.io" if kind == "TokenRequest" else "authorization.k8s.io"
    details = StatusDetails(
        name=name, group=group, kind=kind, causes=[StatusCause("FieldValueInvalid", message, field)]
    )
    return Invalid.of(f'{kind}.{group} "{name}" is invalid: {field}: {message}', details)
