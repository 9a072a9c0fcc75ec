"""Query parameters, read once."""

from __future__ import annotations

from urllib.parse import parse_qsl

from certwright.apiserver import objects
from certwright.apiserver.schema.causes import go_quote
from certwright.apiserver.verbs.call import DeleteOptions, Options
from certwright.apiserver.verbs.read import Paging
from certwright.apiserver.verbs.refusals import options_invalid
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import ApiError, BadRequest, StatusCause

MOST_PARAMETERS = 100
_VALIDATIONS = ("", "Ignore", "Warn", "Strict")


class Query:
    """The parameters of a request; of a repeated one the first counts."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, str] = {}
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS) if text else []
        except ValueError as error:
            raise BadRequest.of(f"The query cannot be read: {error}") from error
        for name, value in pairs:
            self._values.setdefault(name, value)

    def text(self, name: str) -> str:
        """The value, or ''."""
        return self._values.get(name, "")

    def is_true(self, name: str) -> bool:
        """Whether a parameter is set and not false."""
        value = self._values.get(name)
        return value is not None and value.lower() not in {"false", "0", ""}

    def number(self, name: str) -> int:
        """A whole number; 0 where it is absent."""
        value = self.text(name)
        if not value:
            return 0
        if not (value.isascii() and value.lstrip("-").isdigit()):
            raise BadRequest.of(f'{name} must be a whole number, not "{value}"')
        return int(value)

    def paging(self) -> Paging:
        """What a list asks for."""
        return Paging(
            limit=max(self.number("limit"), 0),
            continue_=self.text("continue"),
            revision=self.text("resourceVersion"),
            match=self.text("resourceVersionMatch"),
            sends_initial=self.text("sendInitialEvents") != "",
        )

    def options(self, kind: str, *, is_apply: bool = False) -> Options:
        """What a write asks for."""
        validation = self.text("fieldValidation")
        if validation not in _VALIDATIONS:
            raise _unsupported(kind, "fieldValidation", go_quote(validation), '"", "Ignore", "Strict", "Warn"')
        if self.is_true("force") and not is_apply and kind == "PatchOptions":
            cause = StatusCause("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force")
            raise options_invalid(kind, [cause])
        return Options(
            dry_run=self.dry_run(kind),
            manager=self.text("fieldManager"),
            field_validation=validation or "Warn",
            force=self.is_true("force"),
        )

    def dry_run(self, kind: str) -> bool:
        """Whether nothing may be stored."""
        value = self.text("dryRun")
        if value not in {"", "All"}:
            raise _unsupported(kind, "dryRun", f"[{go_quote(value)}]", '"All"')
        return value == "All"

    def delete_options(self, body: JSONObject) -> DeleteOptions:
        """How to delete: from the body (DeleteOptions), else from the query."""
        preconditions = objects.child(body, "preconditions")
        dry_run = body.get("dryRun")
        orphans = body.get("orphanDependents")
        policy = objects.text(body, "propagationPolicy") or self.text("propagationPolicy")
        if not policy and (orphans is not None or self.text("orphanDependents")):
            policy = "Orphan" if orphans is True or self.is_true("orphanDependents") else "Background"
        return DeleteOptions(
            propagation=policy,
            uid=objects.text(preconditions, "uid"),
            revision=objects.text(preconditions, "resourceVersion"),
            dry_run=dry_run == ["All"] or self.dry_run("DeleteOptions"),
        )


def _unsupported(kind: str, field: str, value: str, known: str) -> ApiError:
    message = f"Unsupported value: {value}: supported values: {known}"
    return options_invalid(kind, [StatusCause("FieldValueNotSupported", message, field)])
