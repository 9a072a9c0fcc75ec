"""The answers that refuse, in the API server's words."""

from __future__ import annotations

from collections.abc import Sequence

from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.causes import Cause
from certwright.kube.wire.status import ApiError, Conflict, Invalid, StatusDetails, conflict, not_found

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def missing(definition: Definition, name: str) -> ApiError:
    """There is no such object."""
    return not_found(definition.resource.qualified, name)


def modified(definition: Definition, name: str) -> ApiError:
    """The write started from a state that is no longer the present one."""
    return conflict(definition.resource.qualified, name, MODIFIED)


def precondition(definition: Definition, name: str, what: str, wanted: str, found: str) -> ApiError:
    """A precondition (UID, ResourceVersion) does not hold."""
    why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
    why += "The object might have been deleted and then recreated"
    if what == "UID":
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    return conflict(definition.resource.qualified, name, why)


def invalid(definition: Definition, name: str, causes: Sequence[Cause]) -> ApiError:
    """The object breaks rules."""
    resource = definition.resource
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    shown = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
    listed = shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
    details = StatusDetails(name=name, group=resource.group, kind=resource.kind, causes=list(causes))
    return Invalid.of(f'{qualified} "{name}" is invalid: {listed}', details)


def apply_conflict(causes: Sequence[Cause]) -> ApiError:
    """Other managers own fields that an apply sets to other values."""
    by_manager: dict[str, list[str]] = {}
    for cause in causes:
        by_manager.setdefault(cause.message, []).append(cause.field)
    noun = "conflict" if len(causes) == 1 else "conflicts"
    if len(by_manager) == 1 and len(causes) == 1:
        message = f"Apply failed with 1 {noun}: {causes[0].message}: {causes[0].field}"
    else:
        parts = [
            f"{words}:\n" + "\n".join(f"- {path}" for path in paths) for words, paths in sorted(by_manager.items())
        ]
        message = f"Apply failed with {len(causes)} {noun}: " + "\n".join(parts)
        if len(by_manager) > 1:
            message = f"Apply failed with {len(causes)} {noun}: " + "\n".join(parts)
    return Conflict.of(message, StatusDetails(causes=list(causes)))
