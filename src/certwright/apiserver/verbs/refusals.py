"""The answers that refuse, in the API server's words."""

from __future__ import annotations

from collections.abc import Sequence

from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.causes import Cause
from certwright.apiserver.schema.causes import invalid as invalid_value
from certwright.kube.wire.status import ApiError, Invalid, StatusDetails, conflict, not_found

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def missing(definition: Definition, name: str) -> ApiError:
    """There is no such object."""
    return not_found(definition.resource.qualified, name)


def modified(definition: Definition, name: str) -> ApiError:
    """The write started from a state that is no longer the present one."""
    return conflict(definition.resource.qualified, name, MODIFIED)


def other_uid(definition: Definition, name: str, wanted: str, found: str) -> ApiError:
    """The update is meant for another object of this name."""
    why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    return conflict(definition.resource.qualified, name, why)


def precondition(definition: Definition, name: str, what: str, wanted: str, found: str) -> ApiError:
    """A precondition (UID, ResourceVersion) of a deletion does not hold."""
    happened = "deleted and then recreated" if what == "UID" else "modified"
    why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
    return conflict(_kind(definition), name, f"{why}The object might have been {happened}")


def unversioned(definition: Definition, name: str) -> ApiError:
    """The update names no resourceVersion, which its kind demands."""
    resource = definition.resource
    cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
    details = StatusDetails(name=name, group=resource.group, kind=resource.plural, causes=[cause])
    return Invalid.of(f'{resource.qualified} "{name}" is invalid: {cause.field}: {cause.message}', details)


def other_kind(definition: Definition, name: str, kind: str) -> ApiError:
    """The body of a custom resource is of another kind."""
    group = definition.resource.group
    cause = invalid_value("kind", kind, f"must be {definition.resource.kind}")
    details = StatusDetails(name=name, group=group, kind=kind, causes=[cause])
    return Invalid.of(f'{kind}.{group} "{name}" is invalid: kind: {cause.message}', details)


def _kind(definition: Definition) -> str:
    resource = definition.resource
    return f"{resource.kind}.{resource.group}" if resource.group else resource.kind


def options_invalid(kind: str, causes: Sequence[Cause]) -> ApiError:
    """The options of a request (ListOptions, PatchOptions, …) contradict each other."""
    details = StatusDetails(group="meta.k8s.io", kind=kind, causes=list(causes))
    return Invalid.of(f'{kind}.meta.k8s.io "" is invalid: {_listed(causes)}', details)


def patch_invalid(shown: str, fault: str) -> ApiError:
    """The object that a patch leaves cannot be read."""
    cause = invalid_value("patch", shown, fault)
    return Invalid.of(f' "" is invalid: patch: {cause.message}', StatusDetails(causes=[cause]))


def _listed(causes: Sequence[Cause]) -> str:
    shown = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def invalid(definition: Definition, name: str, causes: Sequence[Cause]) -> ApiError:
    """The object breaks rules."""
    resource = definition.resource
    details = StatusDetails(name=name, group=resource.group, kind=resource.kind, causes=list(causes))
    return Invalid.of(f'{_kind(definition)} "{name}" is invalid: {_listed(causes)}', details)
