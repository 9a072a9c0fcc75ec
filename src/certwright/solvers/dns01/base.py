"""What every DNS provider implements, and the record that it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from msgspec import Struct

from certwright.errors import Retry
from certwright.rest import RestError, Transport

DNS_TIMEOUT = timedelta(seconds=10)


class TxtRecord(Struct, frozen=True):
    """One TXT value. `zone` and `name` are fully qualified with a trailing dot; `value` is unquoted."""

    zone: str
    name: str
    value: str
    ttl: timedelta


class Tools(Struct, frozen=True, kw_only=True):
    """What a provider may use besides its own configuration.

    `endpoints` replaces the base URL of a provider's API. Whoever runs the process sets it, never the writer of an
    issuer, who could have the credentials sent to a server of their own.
    """

    transport: Transport
    endpoints: Mapping[str, str] = {}
    ambient: bool = False
    timeout: timedelta = DNS_TIMEOUT


class DnsProvider(ABC):
    """Writes TXT values into one DNS service, and derives nothing: zone and name are given.

    Both calls may be repeated, and both leave other values of the same name alone. They raise `Retry` with the
    service's own words where it did not do what was asked (`after` as it wished), and `Blocked` where the
    configuration can never work.
    """

    @abstractmethod
    async def add(self, record: TxtRecord) -> None:
        """The value is served, besides what is served already; adding it again changes nothing."""

    @abstractmethod
    async def remove(self, record: TxtRecord) -> None:
        """The value is no longer served; removing it again changes nothing."""


@contextmanager
def speaking_for(service: str) -> Iterator[None]:
    """A RestError in the block becomes the Retry that a provider promises."""
    try:
        yield
    except RestError as error:
        hint = "; check the credentials and their permissions" if error.status in {401, 403} else ""
        raise Retry(f"{service}: {error.message}{hint}", error.retry_after) from error
