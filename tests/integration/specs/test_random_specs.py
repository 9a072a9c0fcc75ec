"""Random specs: what is accepted can be issued and stays settled; what cert-manager refuses is refused by field."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests import judges
from tests.integration.specs import openssl, upstream
from tests.integration.specs.drawing import Drawn, drawn
from tests.integration.specs.issued import Issued, issue
from tests.integration.specs.refusing import faults, place, refusals
from tests.unit.rules import sample

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import from_json
from certwright.pki.csr import build_request, parse_request
from certwright.rules.request_content import request_content

FEW = range(300)
SHARDS = [range(at, at + 1000) for at in range(0, 10_000, 1000)]
RULES = "cert-manager-rules"


@pytest.mark.needs("openssl")
def test_three_hundred(tmp_path: Path) -> None:
    judge(FEW, tmp_path)


@pytest.mark.long
@pytest.mark.needs("openssl")
@pytest.mark.parametrize("numbers", SHARDS, ids=str)
def test_ten_thousand(numbers: range, tmp_path: Path) -> None:
    judge(numbers, tmp_path)


@pytest.mark.needs(RULES)
def test_cert_manager_itself_says_the_same() -> None:
    compare(FEW)


@pytest.mark.long
@pytest.mark.needs(RULES)
@pytest.mark.parametrize("numbers", SHARDS, ids=str)
def test_cert_manager_itself_says_the_same_of_ten_thousand(numbers: range) -> None:
    compare(numbers)


def judge(numbers: range, folder: Path) -> None:
    """What is refused is refused rightly and told well; what is accepted is issued, and OpenSSL takes it."""
    wrong: list[str] = []
    seen: list[Issued] = []
    for number, each in zip(numbers, drawn(numbers), strict=True):
        found = refusals(each.spec)
        wrong += [f"{number}: {fault}: {short(each.spec)}" for fault in faults(each, found)]
        if not found:
            try:
                seen.append(issue(each.spec))
            except Exception as error:  # noqa: BLE001 - all of them are told at the end, with their specs
                wrong.append(f"{number}: {error!r:.300}: {short(each.spec)}")
    wrong += openssl.judge(seen, folder)

    assert wrong == []
    assert len(numbers) / 4 < len(seen) < len(numbers) * 3 / 4


def compare(numbers: range) -> None:
    """Our words on cert-manager's rules are right, and an accepted spec makes the request that cert-manager makes."""
    wrong: list[str] = []
    for number, each, told in verdicts(numbers):
        readable = not upstream.unreadable_durations(each.spec)
        assert ("unreadable" not in told) is readable, (number, told)
        if not readable:
            continue
        theirs = {place(path) for path in told.get("refused", ())}
        if upstream.refused_by_webhook(each.spec) != theirs:
            wrong.append(f"{number}: cert-manager refuses {theirs}: {short(each.spec)}")
        if told.get("noRequest", "").startswith("unsupported ecdsa keysize"):
            continue  # less than 0, which we take for the usual size, as it is taken for RSA
        if not refusals(each.spec) and request_of(each.spec) != asked_of(told, each.spec):
            wrong.append(f"{number}: another request: {told.get('noRequest')}: {short(each.spec)}")

    assert wrong == []


def verdicts(numbers: range) -> Iterator[tuple[int, Drawn, dict[str, Any]]]:
    """What cert-manager's own functions say of each spec that is not of wrong types."""
    readable = [(number, each) for number, each in zip(numbers, drawn(numbers), strict=True) if not each.wrong]
    lines = "".join(json.dumps(each.spec) + "\n" for _, each in readable)
    done = subprocess.run([str(judges.require(RULES))], input=lines.encode(), capture_output=True, check=True)
    for (number, each), line in zip(readable, done.stdout.splitlines(), strict=True):
        yield number, each, json.loads(line)


def request_of(spec: dict[str, Any]) -> Any:
    """Subject and extensions of our request."""
    wanted = from_json(cm.CertificateSpec, spec)
    content = replace(request_content(wanted), signature_algorithm=None)
    request = parse_request(build_request(content, sample.key()), limit=10**9)
    return _comparable(request.subject, spec), [
        (each.oid, each.critical, each.value) for each in request.extensions.values()
    ]


def asked_of(told: dict[str, Any], spec: dict[str, Any]) -> Any:
    """Subject and extensions of cert-manager's."""
    decoded = base64.b64decode
    extensions = [(each["id"], each["critical"], decoded(each["value"])) for each in told.get("extensions", ())]
    return _comparable(decoded(told.get("subject", "")), spec), extensions


def _comparable(subject: bytes, spec: dict[str, Any]) -> bytes:
    """cert-manager loses of which type a value in hex is."""
    return b"" if "=#" in spec.get("literalSubject", "") else subject


def short(spec: dict[str, Any]) -> str:
    """A spec in a message."""
    text = json.dumps(spec)
    return text if len(text) < 1500 else f"{text[:1500]}…"
