"""Whatever an object says, there is an answer: nothing that a client writes makes the webhook fail."""

from __future__ import annotations

import asyncio
import base64
import copy
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.rules.issuer_samples import BAD, GOOD
from tests.unit.webhook.questions import ACME, APPROVED, CERTIFICATE, CM, REQUEST, Plain, admission

from certwright.rules.identity import Requester
from certwright.webhook.review import Allowed, Question, Refused

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.binary(max_size=40).map(lambda value: base64.b64encode(value).decode())
    | st.sampled_from(["*", "-1h", "9" * 300, "a/b", "[::", "::1", "CN=", "\0", "é" * 70, "..", "1.2.3", "10.0.0.0/33"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
REQUESTS: list[Plain] = [{"spec": REQUEST, "status": {"conditions": [APPROVED]}}, {"spec": REQUEST}]
SAMPLES: dict[str, list[Plain]] = {
    "certificates": [{"spec": CERTIFICATE}, {"spec": {**CERTIFICATE, "keystores": {"jks": {"create": True}}}}],
    "certificaterequests": REQUESTS,
    "issuers": [{"spec": spec} for spec in (*GOOD, *(spec for spec, _ in BAD))],
    "orders": [{"spec": {"request": "eA==", "issuerRef": {"name": "x"}}, "status": {"authorizations": [{"url": "u"}]}}],
    "challenges": [{"spec": {"url": "u", "solver": {"dns01": {}}}}],
}


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of everything in a value."""
    found = [here] if here else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [path for key, inner in items for path in paths(inner, (*here, key))]


@st.composite
def objects(draw: st.DrawFn, plural: str) -> bytes:
    """A sample in which some places hold something else."""
    found = copy.deepcopy(
        {"metadata": {"name": "x", "annotations": {"a": "b"}}, **draw(st.sampled_from(SAMPLES[plural]))}
    )
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(paths(found)))
        place: Any = found
        for step in way:
            place = place[step]
        place[last] = draw(VALUES)
    return msgspec.json.encode(found)


@settings(max_examples=300)
@given(st.data())
def test_there_is_always_an_answer(data: st.DataObject) -> None:
    plural = data.draw(st.sampled_from(sorted(SAMPLES)))
    question = Question(
        operation=data.draw(st.sampled_from(["CREATE", "UPDATE", "DELETE"])),
        group=ACME if plural in {"orders", "challenges"} else CM,
        plural=plural,
        subresource=data.draw(st.sampled_from(["", "status"])),
        namespace="shop",
        requester=Requester(username=data.draw(st.text(max_size=5)), groups=("a",)),
        object=data.draw(objects(plural)),
        old=data.draw(st.just(b"") | objects(plural)),
    )

    answers = (asyncio.run(admission().validate(question)), admission().mutate(question))

    for answer in answers:
        assert isinstance(answer, Allowed | Refused)
        if isinstance(answer, Refused):
            assert answer.code in {400, 403}
            assert answer.message
