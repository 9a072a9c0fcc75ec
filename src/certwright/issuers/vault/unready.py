"""Why Vault cannot sign now."""

from __future__ import annotations

from datetime import timedelta

from certwright.api.wellknown import RequestEvent


class Unready(Exception):
    """It may pass: `message` is a sentence with a next step, `event` the reason of a waiting request's event."""

    def __init__(
        self, message: str, event: str = RequestEvent.VAULT_INIT_ERROR, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.event = event
        self.retry_after = retry_after
