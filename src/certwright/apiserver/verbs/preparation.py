"""The metadata that the server itself keeps, and the rules of names and namespaces."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.definition import Definition
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Call
from certwright.apiserver.verbs.refusals import missing, modified, other_uid, unversioned
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import NAMESPACES
from certwright.kube.wire.status import BadRequest, Forbidden, InternalError, StatusCause, StatusDetails, not_found

# A generated name is cut so that it stays within a label with its suffix.
LONGEST_PREFIX = 58
# Kinds that a client may create by PUT, and may update without naming the state it saw.
_CREATED_BY_PUT = frozenset(
    {
        "leases.coordination.k8s.io",
        "events",
        "events.events.k8s.io",
        "endpoints",
        "services",
        "limitranges",
        "roles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
    }
)
_ALWAYS_CONDITIONAL = frozenset(
    {
        "leases.coordination.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "apiservices.apiregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    }
)


def is_created_by_put(definition: Definition) -> bool:
    """Whether a PUT on a name that is free creates."""
    return definition.resource.qualified in _CREATED_BY_PUT


def is_always_conditional(definition: Definition) -> bool:
    """Whether every PUT must name the resourceVersion that it changes."""
    return not definition.built_in or definition.resource.qualified in _ALWAYS_CONDITIONAL


def check_namespace(api: Api, call: Call) -> None:
    """Refuse to create in a namespace that is not there, or that is going."""
    if not call.definition.resource.namespaced:
        return
    if not call.namespace:
        raise BadRequest.of("an empty namespace may not be set during creation")
    namespace = api.namespace(call.namespace)
    if namespace is None:
        raise not_found(NAMESPACES.qualified, call.namespace)
    if "deletionTimestamp" in objects.meta(namespace):
        resource = call.definition.resource
        words = f"unable to create new content in namespace {call.namespace} because it is being terminated"
        cause = StatusCause(
            "NamespaceTerminating", f"namespace {call.namespace} is being terminated", "metadata.namespace"
        )
        details = StatusDetails(name=call.name, group=resource.group, kind=resource.plural, causes=[cause])
        raise Forbidden.of(f'{resource.qualified} "{call.name}" is forbidden: {words}', details)


def stamp_new(api: Api, obj: JSONObject) -> None:
    """Give a new object its identity."""
    metadata = objects.meta(obj)
    if metadata.get("resourceVersion"):
        raise InternalError.of("resourceVersion should not be set on objects to be created")
    for name in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        metadata.pop(name, None)
    generate = objects.text(metadata, "generateName")
    if not metadata.get("name") and generate:
        metadata["name"] = generate[:LONGEST_PREFIX] + api.new_suffix()
    metadata["uid"] = api.new_uid()
    metadata["creationTimestamp"] = objects.timestamp(api.clock.now())


_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def carry_over(call: Call, obj: JSONObject, before: Stored, old: JSONObject) -> None:
    """Check an update against the present state, and give it the metadata that only the server sets."""
    metadata, present = objects.meta(obj), objects.meta(old)
    uid, revision = objects.text(metadata, "uid"), objects.text(metadata, "resourceVersion")
    if not revision and is_always_conditional(call.definition):
        raise unversioned(call.definition, call.name)
    if uid and uid != before.uid:
        raise other_uid(call.definition, call.name, uid, before.uid)
    if revision and revision not in {"0", str(before.revision)}:
        check_revision(revision)
        raise modified(call.definition, call.name)
    metadata["resourceVersion"] = str(before.revision)
    metadata.pop("selfLink", None)
    for name in _KEPT:
        if name in present and (name == "generation" or not metadata.get(name)):
            metadata[name] = present[name]
        elif name not in present:
            metadata.pop(name, None)


def check_revision(revision: str) -> None:
    """Refuse what is not a resourceVersion."""
    if not (revision.isascii() and revision.isdigit()):
        shown = f'resourceVersion: Invalid value: "{revision}": must be a number that the server gave'
        raise BadRequest.of(f"invalid resource version: {shown}")


def expect_found(definition: Definition, found: Stored | None, name: str) -> Stored:
    """`found`, or NotFound."""
    if found is None:
        raise missing(definition, name)
    return found
