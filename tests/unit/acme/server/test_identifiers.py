from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol.messages import ChallengeType, Identifier
from certwright.acme.server.identifiers import MOST_IDENTIFIERS, challenge_types_for, checked
from certwright.acme.server.refusals import Refused

EVERY = tuple(ChallengeType)


def dns(*names: str) -> list[Identifier]:
    return [Identifier("dns", name) for name in names]


def test_names_have_one_spelling_and_one_order() -> None:
    found = checked([*dns("B.test", "a.test", "b.TEST", "*.a.test"), Identifier("ip", "2001:db8::1")], ())

    assert found == (*dns("*.a.test", "a.test", "b.test"), Identifier("ip", "2001:db8::1"))


@pytest.mark.parametrize(
    "name", ["localhost", "a.test", "xn--bcher-kva.test", "_sip.a.test", "1.test", "a" * 63 + ".test"]
)
def test_names_that_can_be_ordered(name: str) -> None:
    assert checked(dns(name), ()) == tuple(dns(name))


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [
        (Identifier("dns", ""), "malformed"),
        (Identifier("dns", "a.test."), "malformed"),
        (Identifier("dns", "-a.test"), "malformed"),
        (Identifier("dns", "a-.test"), "malformed"),
        (Identifier("dns", "a..test"), "malformed"),
        (Identifier("dns", "a b.test"), "malformed"),
        (Identifier("dns", "bücher.test"), "malformed"),
        (Identifier("dns", "*"), "malformed"),
        (Identifier("dns", "a.*.test"), "malformed"),
        (Identifier("dns", "*.*.test"), "malformed"),
        (Identifier("dns", "a" * 64 + ".test"), "malformed"),
        (Identifier("dns", ".".join(["a" * 60] * 5)), "malformed"),
        (Identifier("dns", "192.0.2.1"), "malformed"),
        (Identifier("dns", "a.test\n"), "malformed"),
        (Identifier("dns", "www.blocked.test"), "rejectedIdentifier"),
        (Identifier("dns", "*.blocked.test"), "rejectedIdentifier"),
        (Identifier("ip", "192.0.2.999"), "malformed"),
        (Identifier("ip", "2001:DB8::0:1"), "malformed"),
        (Identifier("ip", "a.test"), "malformed"),
        (Identifier("email", "a@a.test"), "unsupportedIdentifier"),
    ],
)
def test_identifiers_that_cannot_be_ordered_are_named(identifier: Identifier, kind: str) -> None:
    with pytest.raises(Refused) as caught:
        checked([identifier], ("blocked.test",))

    problem = caught.value.problem
    assert problem.kind == kind
    assert problem.subproblems[0].identifier is not None
    assert problem.subproblems[0].identifier.value == identifier.value


def test_several_bad_ones_are_all_named() -> None:
    with pytest.raises(Refused) as caught:
        checked(dns("blocked.test", "-", "good.test"), ("blocked.test",))

    problem = caught.value.problem
    assert problem.kind == "compound"
    assert [sub.identifier.value for sub in problem.subproblems if sub.identifier] == ["blocked.test", "-"]


@pytest.mark.parametrize("count", [0, MOST_IDENTIFIERS + 1])
def test_too_few_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(Refused, match="1 to 100"):
        checked(dns(*(f"n{number}.test" for number in range(count))), ())


@settings(deadline=None)
@given(st.lists(st.builds(Identifier, st.sampled_from(["dns", "ip", "x"]), st.text(max_size=30)), max_size=5))
def test_any_identifiers_are_taken_in_one_spelling_or_refused(identifiers: list[Identifier]) -> None:
    with contextlib.suppress(Refused):
        found = checked(identifiers, ())

        assert checked(found, ()) == found


@pytest.mark.parametrize(
    ("identifier", "types"),
    [
        (Identifier("dns", "a.test"), EVERY),
        (Identifier("dns", "*.a.test"), (ChallengeType.DNS_01,)),
        (Identifier("ip", "192.0.2.1"), (ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01)),
    ],
)
def test_what_can_prove_control(identifier: Identifier, types: tuple[str, ...]) -> None:
    assert challenge_types_for(identifier, EVERY) == types
