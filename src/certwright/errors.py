"""The two exceptions that steer a control loop."""

from __future__ import annotations

from datetime import timedelta


class Retry(Exception):
    """The pass could not finish for a passing reason; look again `after` (with back-off where it is None)."""

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.after = after


class Blocked(Exception):
    """Nothing helps until an object changes: `reason` is a CamelCase word, `message` a sentence with a next step."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
