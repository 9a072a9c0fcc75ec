"""`status certificate` against what cmctl printed for real objects."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.core import Event, EventSource
from certwright.api.meta import from_json
from certwright.cli.status_text import story_json, story_text
from certwright.cli.story import SecretStory, Story, is_owned
from certwright.pki.certificate import first_certificate_der, parse_certificate, public_key_of
from certwright.pki.keys import key_spec_of

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden"
NOW = datetime(2026, 11, 24, 3, 19, 34, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="absent: the golden objects")

# Ages move with the moment of printing, and counts with it; a Challenge's key is not shown here, since it is a secret
# of sorts; a reason that quotes another's answer is cut differently.
MOVING = [(r"\s+\S+( \(x\d+ over \S+\))?\s+cert-manager-", " AGE cert-manager-"), (r" Key: [^,]+,", ""), (r" +", " ")]


def found(kind: str, name: str) -> Any:
    items = msgspec.json.decode((GOLDEN / "settled.json").read_bytes())["items"]
    return next((i for i in items if i["kind"] == kind and i["metadata"]["name"] == name), None)


def owned(kind: str, struct: type[Any], owner: Any) -> list[Any]:
    items = msgspec.json.decode((GOLDEN / "settled.json").read_bytes())["items"]
    every = [from_json(struct, i) for i in items if i["kind"] == kind]
    return [each for each in every if owner is not None and is_owned(each.metadata, owner.metadata)]


def events(about: str) -> tuple[Event, ...]:
    rows = msgspec.json.decode((GOLDEN / "events.json").read_bytes())
    return tuple(
        Event(
            type=row["type"],
            reason=row["reason"],
            message=row["message"],
            source=EventSource(component=row["component"]),
            count=row["count"],
            first_timestamp=datetime.fromisoformat(row["first"]),
            last_timestamp=datetime.fromisoformat(row["first"]),
        )
        for row in rows
        if row["object"] == about
    )


def story(name: str) -> Story:
    certificate = from_json(cm.Certificate, found("Certificate", name))
    issuer = from_json(cm.Issuer, found("Issuer", certificate.spec.issuer_ref.name))
    wanted = str((certificate.status.revision or 0) + 1)
    requests = owned("CertificateRequest", cm.CertificateRequest, certificate)
    request = next((r for r in requests if r.metadata.name.endswith(f"-{wanted}")), None)
    order = next(iter(owned("Order", acme.Order, request)), None)
    return Story(
        certificate=certificate,
        events=events(f"Certificate/{name}"),
        issuer=issuer,
        issuer_events=events(f"Issuer/{issuer.metadata.name}"),
        secret=secret(certificate.spec.secret_name),
        request=request,
        request_events=events(f"CertificateRequest/{request.metadata.name}") if request else (),
        order=order,
        challenges=tuple(owned("Challenge", acme.Challenge, order)),
    )


def secret(name: str) -> SecretStory:
    raw = found("Secret", name)
    if raw is None:
        return SecretStory(name, None, "", f'error when finding Secret "{name}": secrets "{name}" not found', ())
    text = msgspec.json.decode(msgspec.json.encode(raw["data"]["tls.crt"]), type=bytes)
    key = key_spec_of(public_key_of(first_certificate_der(text))).algorithm
    return SecretStory(name, parse_certificate(text), key, "", ())


def comparable(text: str) -> list[str]:
    for pattern, replacement in MOVING:
        text = re.sub(pattern, replacement, text)
    lines = [line.rstrip() for line in text.splitlines() if not re.match(r"\s*(Type|----) ", line)]
    return sorted(line for line in lines if "WaitingForApproval" not in line)


def expected(name: str) -> str:
    whole = (GOLDEN / "cmctl.txt").read_text()
    return re.split(r"^## .*\n", whole.partition(f"## cmctl status certificate {name}\n")[2], flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", ["rsa-default", "dup-b", "acme-http", "keystores-missing-pw"])
def test_the_text_is_cmctls(name: str) -> None:
    assert comparable(story_text(story(name), NOW)) == comparable(expected(name))


def test_the_text_has_the_parts_in_cmctls_order() -> None:
    heads = [line for line in story_text(story("acme-http"), NOW).splitlines() if re.match(r"[A-Z]", line)]
    theirs = [line for line in expected("acme-http").splitlines() if re.match(r"[A-Z]", line)]

    assert heads == theirs


def test_json_tells_no_key() -> None:
    whole = story("acme-http")

    told = msgspec.json.encode(story_json(whole))

    assert whole.challenges
    assert all(challenge.spec.key.encode() not in told for challenge in whole.challenges)
    assert b"PRIVATE KEY" not in told
