"""Questions to CAs run beside the passes: a few at a time, at the CA's pace, and whatever comes of them is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.clock import MovableClock, settle
from tests.integration.wiring import build_cluster
from tests.unit.rules.sample import NOW, certificate
from tests.unit.rules.test_renewal_information import held, issuer, leaf

from certwright.acme.protocol.messages import RenewalInfo, Window
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition
from certwright.cluster.settings import Settings
from certwright.controllers.certificate.asking import AT_ONCE, LONGEST_PAUSE, MOST_TRIES, Advice, Asking
from certwright.errors import Blocked, Retry
from certwright.issuers.base import IssuerType, Outcome, RequestToSign, Verdict
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import over_socket
from certwright.rules.facts import SecretFacts
from certwright.rules.gates import Gates, read_gates
from certwright.rules.hub import CertificateKey, HubCertificate, HubIssuer
from certwright.rules.renewal_information import SOONEST_CHECK

ON = read_gates(["ACMEUseARI=true"])
READY = cm.IssuerStatus(conditions=(Condition(type="Ready", status="True"),))
WINDOW = Window(NOW + timedelta(days=30), NOW + timedelta(days=32))


class Ca(IssuerType):
    """It answers when the test lets it, and as the test says."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.answer: Callable[[], RenewalInfo | None] = lambda: RenewalInfo(WINDOW)

    async def renewal_info(self, issuer: HubIssuer, certificate: str) -> RenewalInfo | None:
        self.questions.append(issuer.key.name)
        await self.open.wait()
        return self.answer()

    def refuse(self, error: Exception) -> None:
        def fail() -> RenewalInfo:
            raise error

        self.answer = fail

    async def check(self, issuer: HubIssuer) -> Verdict:
        raise NotImplementedError

    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        raise NotImplementedError


class Rig:
    """An `Asking` with one CA type, on a clock that only the test moves."""

    def __init__(self, client: KubeClient, clock: MovableClock, gates: Gates = ON) -> None:
        self.clock = clock
        self.ca = Ca()
        self.asking = Asking(build_cluster(client, clock, Settings(gates=gates)), {"acme": self.ca})
        self.woken: list[CertificateKey] = []
        self.asking.on_answer(self.woken.append)

    def ask(self, number: int = 0, where: HubIssuer | None = None) -> object:
        wanted, secret, issuer_ = self.line(number, where)
        return self.asking.ask(wanted, secret, issuer_)

    def known(self, number: int = 0, where: HubIssuer | None = None) -> object:
        wanted, secret, issuer_ = self.line(number, where)
        found = self.asking.advice(wanted, secret, issuer_)
        return found if found is None else found.known

    def line(self, number: int, where: HubIssuer | None) -> tuple[HubCertificate, SecretFacts, HubIssuer]:
        """The Certificate of that number, its Secret and its issuer."""
        wanted = certificate(f"web-{number}")
        found = replace(held(annotations={"cert-manager.io/certificate-name": f"web-{number}"}), leaf=leaf(number))
        return wanted, found, where or at("https://ca.test/dir")


def at(server: str, name: str = "ca") -> HubIssuer:
    """A ready issuer of the CA at that address."""
    found = issuer()
    assert found.spec.acme is not None
    acme = replace(found.spec.acme, server=server)
    return replace(found, key=found.key._replace(name=name), spec=cm.IssuerSpec(acme=acme), status=READY)


@pytest.fixture
async def client() -> AsyncIterator[KubeClient]:
    """Nobody is called."""
    found = KubeClient(over_socket(Path("nobody.sock")), MovableClock(NOW))
    yield found
    await found.close()


@pytest.fixture
async def rig(client: KubeClient) -> AsyncIterator[Rig]:
    found = Rig(client, MovableClock(NOW))
    yield found
    found.asking.close()
    await settle()


async def test_an_answer_is_known_and_wakes_a_pass(rig: Rig) -> None:
    assert rig.ask() is None
    assert rig.known() is None, "the pass does not wait"
    await settle()

    found = rig.known()
    assert isinstance(found, cm.RenewalInformation)
    assert rig.asking.advice(*rig.line(0, None)) == Advice(found, None), "it counts once it stands in the status"
    assert found.suggested_window == cm.SuggestedWindow(start=WINDOW.start, end=WINDOW.end)
    assert rig.woken == [certificate("web-0").key]


async def test_what_is_asked_or_known_is_not_asked_again(rig: Rig) -> None:
    rig.ca.open.clear()
    rig.ask()
    rig.ask()
    await settle()
    rig.ca.open.set()
    await settle()
    rig.ask()
    await settle()

    assert len(rig.ca.questions) == 1


async def test_an_answer_about_a_certificate_that_is_gone_does_not_count(rig: Rig) -> None:
    rig.ask()
    await settle()
    wanted, secret, where = rig.line(0, None)

    assert rig.asking.advice(wanted, replace(secret, leaf=leaf(1)), where) == Advice()


async def test_a_ca_is_asked_a_few_things_at_a_time_and_keeps_no_other_waiting(rig: Rig) -> None:
    rig.ca.open.clear()
    for number in range(20):
        rig.ask(number)
    rig.ask(20, at("https://other.test/dir", "other"))
    await settle()

    assert rig.ca.questions == ["ca"] * AT_ONCE + ["other"]
    rig.ca.open.set()
    await settle()
    assert len(rig.ca.questions) == 21
    assert len(rig.woken) == 21


async def test_a_ca_that_wants_to_be_left_alone_is(rig: Rig) -> None:
    pause = timedelta(seconds=30)
    rig.ca.refuse(Retry("slow down", pause))
    for number in range(20):
        rig.ask(number)
    await settle()
    assert len(rig.ca.questions) == AT_ONCE
    await rig.clock.run_for(pause - timedelta(seconds=1))
    assert len(rig.ca.questions) == AT_ONCE

    rig.ca.answer = lambda: RenewalInfo(WINDOW)
    await rig.clock.run_for(timedelta(seconds=1))

    assert len(rig.ca.questions) == 20 + AT_ONCE
    assert all(isinstance(rig.known(number), cm.RenewalInformation) for number in range(20))
    assert not any(getattr(rig.known(number), "last_error", "") for number in range(20))


async def test_a_ca_that_never_lets_itself_be_asked_is_a_failure(rig: Rig) -> None:
    rig.ca.refuse(Retry("slow down", timedelta(days=1)))
    rig.ask()
    await settle()
    for _ in range(MOST_TRIES - 1):
        assert rig.known() is None
        await rig.clock.run_for(LONGEST_PAUSE)

    found = rig.known()
    assert isinstance(found, cm.RenewalInformation)
    assert found.last_error == "slow down"
    assert found.next_check is not None
    assert found.next_check >= rig.clock.now() + timedelta(days=1)
    assert len(rig.ca.questions) == MOST_TRIES


@pytest.mark.parametrize(
    "error", [Retry("no answer"), Blocked("ARIError", "no answer"), RuntimeError("a fault of ours")], ids=repr
)
async def test_a_failure_is_known(rig: Rig, error: Exception) -> None:
    rig.ca.refuse(error)
    rig.ask()
    await settle()

    found = rig.known()
    assert isinstance(found, cm.RenewalInformation)
    assert found.last_error == ("no answer" if str(error) == "no answer" else found.last_error) != ""
    assert "a fault of ours" not in found.last_error
    assert len(rig.woken) == 1


async def test_a_ca_without_renewal_information_is_asked_once_until_the_issuer_names_another(rig: Rig) -> None:
    rig.ca.answer = lambda: None
    for number in (0, 0, 1):
        rig.ask(number)
        await settle()
        assert rig.known(number) is None
    assert len(rig.ca.questions) == 1
    assert len(rig.woken) == 1

    rig.ask(0, at("https://new.test/dir"))
    await settle()
    assert len(rig.ca.questions) == 2


async def test_an_issuer_that_is_not_ready_is_waited_for(rig: Rig) -> None:
    unready = replace(at("https://ca.test/dir"), status=cm.IssuerStatus())

    assert rig.ask(0, unready) == rig.clock.now() + SOONEST_CHECK
    await settle()
    assert not rig.ca.questions


async def test_nobody_asks_about_what_has_ended_or_with_the_gate_off(rig: Rig, client: KubeClient) -> None:
    await rig.clock.run_for(timedelta(days=100))
    rig.ask()
    off = Rig(client, MovableClock(NOW), read_gates([]))
    off.ask()
    await settle()

    assert not rig.ca.questions
    assert not off.ca.questions
    assert off.asking.advice(*off.line(0, None)) is None


async def test_whoever_closes_asks_no_more(rig: Rig) -> None:
    rig.ca.open.clear()
    for number in range(20):
        rig.ask(number)
    await settle()
    rig.asking.close()
    rig.ca.open.set()
    await settle()

    assert len(rig.ca.questions) == AT_ONCE
    assert not rig.woken
