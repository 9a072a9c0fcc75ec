"""The `Status` of an answer (metav1.Status), and the exceptions that carry it."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import Struct, field

# As much of an answer that is not a Status as a message may quote.
QUOTED_CHARACTERS = 1024


class ListMeta(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Metadata of a list and of a Status."""

    resource_version: str = ""
    continue_: str = field(default="", name="continue")
    remaining_item_count: int | None = None


class StatusCause(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One reason of a refusal: `field` is the path of what is wrong, `reason` a CamelCase word."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a Status is about; `kind` is the plural resource, or the kind in answers of validation."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: list[StatusCause] | None = None
    retry_after_seconds: int = 0


def _failure() -> str:
    return "Failure"


class Status(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """metav1.Status; kind, apiVersion, metadata and status are always written."""

    kind: str = field(default_factory=lambda: "Status")
    api_version: str = field(default_factory=lambda: "v1")
    metadata: ListMeta = field(default_factory=ListMeta)
    status: str = field(default_factory=_failure)
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: int = 0


class ApiError(Exception):
    """A refusal by the API server; each subclass is one reason, with the HTTP code it travels under."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = ""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message or f"The API server answered {status.code} {status.reason}.")
        self.status = status

    @classmethod
    def of(cls, message: str, details: StatusDetails | None = None) -> ApiError:
        """This refusal, with `message` and the code and reason of the class."""
        return cls(Status(message=message, reason=cls.reason, details=details, code=cls.code))

    @property
    def retry_after_seconds(self) -> int:
        """The wait that the server asked for; 0 where it named none."""
        return self.status.details.retry_after_seconds if self.status.details else 0


class BadRequest(ApiError):
    """The request cannot be understood."""

    code = 400
    reason = "BadRequest"


class Unauthorized(ApiError):
    """The server does not know who asks."""

    code = 401
    reason = "Unauthorized"


class Forbidden(ApiError):
    """The asker may not do this."""

    code = 403
    reason = "Forbidden"


class NotFound(ApiError):
    """There is no such object, or no such resource."""

    code = 404
    reason = "NotFound"


class MethodNotAllowed(ApiError):
    """The resource does not offer this verb."""

    code = 405
    reason = "MethodNotAllowed"


class NotAcceptable(ApiError):
    """The server has none of the media types asked for."""

    code = 406
    reason = "NotAcceptable"


class AlreadyExists(ApiError):
    """An object of this name is there."""

    code = 409
    reason = "AlreadyExists"


class Conflict(ApiError):
    """The object has changed, a precondition failed, or another field manager owns a field."""

    code = 409
    reason = "Conflict"


class Gone(ApiError):
    """The resource version asked for is no longer kept."""

    code = 410
    reason = "Gone"


class Expired(Gone):
    """The resource version or the continue token is too old."""

    reason = "Expired"


class RequestEntityTooLarge(ApiError):
    """The body is larger than the server takes."""

    code = 413
    reason = "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    """The server does not take a body of this media type."""

    code = 415
    reason = "UnsupportedMediaType"


class Invalid(ApiError):
    """The object breaks a rule of its schema or of validation; `details.causes` says which."""

    code = 422
    reason = "Invalid"


class TooManyRequests(ApiError):
    """The asker is to wait."""

    code = 429
    reason = "TooManyRequests"


class InternalError(ApiError):
    """The server failed."""

    code = 500
    reason = "InternalError"


class ServerTimeout(ApiError):
    """The server could not answer in time and asks to try again."""

    code = 500
    reason = "ServerTimeout"


class Unavailable(ApiError):
    """The server cannot serve this now."""

    code = 503
    reason = "ServiceUnavailable"


class Timeout(ApiError):
    """The request ran out of time on the server."""

    code = 504
    reason = "Timeout"


_CLASSES: tuple[type[ApiError], ...] = (
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    Conflict,
    AlreadyExists,
    Gone,
    Expired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    Invalid,
    TooManyRequests,
    InternalError,
    ServerTimeout,
    Unavailable,
    Timeout,
)
_BY_REASON = {error.reason: error for error in _CLASSES}
# Of two classes with one code the first in the list stands for the code.
_BY_CODE = {error.code: error for error in reversed(_CLASSES)}


def error_of(status: Status) -> ApiError:
    """The exception for a failure: by its reason, else by its code."""
    return (_BY_REASON.get(status.reason) or _BY_CODE.get(status.code) or ApiError)(status)


def error_from(http_code: int, body: bytes) -> ApiError:
    """The exception for an answer of `http_code`, also where `body` is no Status (a proxy's page, a bare text)."""
    try:
        status = msgspec.json.decode(body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        status = Status(kind="")
    if status.kind != "Status":
        status = _status_of_text(http_code, body)
    if not status.code:
        status = msgspec.structs.replace(status, code=http_code)
    return error_of(status)


def _status_of_text(http_code: int, body: bytes) -> Status:
    said = body[: QUOTED_CHARACTERS * 4].decode(errors="replace").strip()[:QUOTED_CHARACTERS]
    known = _BY_CODE.get(http_code)
    words = f"The server answered {http_code}" + (f": {said}" if said else " without a reason.")
    return Status(message=words, reason=known.reason if known else "", code=http_code)


def not_found(qualified: str, name: str) -> ApiError:
    """The answer for a missing object, in the API server's words; `qualified` is `Resource.qualified`."""
    return NotFound.of(f'{qualified} "{name}" not found', _details(qualified, name))


def already_exists(qualified: str, name: str) -> ApiError:
    """The answer to a create of what is there, in the API server's words."""
    return AlreadyExists.of(f'{qualified} "{name}" already exists', _details(qualified, name))


def conflict(qualified: str, name: str, why: str) -> ApiError:
    """The answer to a write on a stale view, in the API server's words."""
    message = f'Operation cannot be fulfilled on {qualified} "{name}": {why}'
    return Conflict.of(message, _details(qualified, name))


def _details(qualified: str, name: str) -> StatusDetails:
    plural, _, group = qualified.partition(".")
    return StatusDetails(name=name, group=group, kind=plural)
