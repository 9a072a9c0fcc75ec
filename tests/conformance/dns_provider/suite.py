"""What every DNS provider keeps, written once: each provider inherits it with its own small real server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

import pytest

from certwright.errors import Retry
from certwright.solvers.dns01.base import DnsProvider, TxtRecord

TTL = timedelta(seconds=60)


class DnsService(Protocol):
    """A service with one zone, as the suite needs it."""

    zone: str
    """Fully qualified."""
    secrets: Iterable[str]
    """Texts that no message may hold, those of wrong credentials among them."""
    refusal: str
    """Words of the service where credentials are wrong."""

    def provider(self) -> DnsProvider:
        """With credentials that may change the zone."""

    def stranger(self) -> DnsProvider:
        """With credentials that may not."""

    async def texts(self, name: str) -> dict[str, int]:
        """The TXT values that are served at that name, with their TTL in seconds."""


class DnsProviderSuite(ABC):
    """Inherit, and give the fixture `service`."""

    @pytest.fixture
    @abstractmethod
    def service(self) -> DnsService:
        """A started service, empty at the names of the suite."""

    async def test_a_value_is_served_with_its_ttl(self, service: DnsService) -> None:
        record = _record(service, "served")

        await service.provider().add(record)

        assert await service.texts(record.name) == {"served": 60}

    async def test_adding_again_changes_nothing(self, service: DnsService) -> None:
        record = _record(service, "twice")

        await service.provider().add(record)
        await service.provider().add(record)

        assert list(await service.texts(record.name)) == ["twice"]

    async def test_two_values_of_one_name_live_side_by_side(self, service: DnsService) -> None:
        base, wildcard = _record(service, "base", "both"), _record(service, "wildcard", "both")

        await service.provider().add(base)
        await service.provider().add(wildcard)

        assert set(await service.texts(base.name)) == {"base", "wildcard"}

    async def test_removing_one_value_keeps_the_other(self, service: DnsService) -> None:
        going, staying = _record(service, "going", "pair"), _record(service, "staying", "pair")
        await service.provider().add(going)
        await service.provider().add(staying)

        await service.provider().remove(going)

        assert set(await service.texts(going.name)) == {"staying"}

    async def test_removing_again_changes_nothing(self, service: DnsService) -> None:
        record = _record(service, "gone")
        await service.provider().add(record)

        await service.provider().remove(record)
        await service.provider().remove(record)

        assert await service.texts(record.name) == {}

    async def test_what_was_never_added_can_be_removed(self, service: DnsService) -> None:
        await service.provider().remove(_record(service, "never"))

    async def test_a_value_with_every_character_of_base64url(self, service: DnsService) -> None:
        record = _record(service, "-AZaz09_-AZaz09_-AZaz09_-AZaz09_-AZaz09_-AZ", "digest")

        await service.provider().add(record)

        assert list(await service.texts(record.name)) == [record.value]

    async def test_wrong_credentials_are_told_in_the_words_of_the_service(self, service: DnsService) -> None:
        record = _record(service, "stranger")

        with pytest.raises(Retry) as told:
            await service.stranger().add(record)

        assert service.refusal in told.value.message
        assert await service.texts(record.name) == {}
        assert not [secret for secret in service.secrets if secret in _everything_said(told.value)]

    async def test_wrong_credentials_do_not_remove(self, service: DnsService) -> None:
        record = _record(service, "kept")
        await service.provider().add(record)

        with pytest.raises(Retry, match=service.refusal):
            await service.stranger().remove(record)

        assert list(await service.texts(record.name)) == ["kept"]

    async def test_an_unknown_zone_is_named(self, service: DnsService) -> None:
        record = TxtRecord("elsewhere.test.", "_acme-challenge.elsewhere.test.", "lost", TTL)

        with pytest.raises(Retry, match=r"elsewhere\.test"):
            await service.provider().add(record)

    async def test_nothing_shows_the_credentials(self, service: DnsService) -> None:
        provider = service.provider()

        shown = f"{provider!r} {provider} {vars(provider)!r}"

        assert not [secret for secret in service.secrets if secret in shown]


def _record(service: DnsService, value: str, label: str = "") -> TxtRecord:
    return TxtRecord(service.zone, f"_acme-challenge.{label or value}.{service.zone}", value, TTL)


def _everything_said(error: BaseException | None) -> str:
    """The texts of an error and of all that led to it, as a traceback in a log would show them."""
    said = []
    while error is not None:
        said.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return "\n".join(said)
