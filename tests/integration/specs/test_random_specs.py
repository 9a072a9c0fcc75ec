"""Random specs: what is accepted can be issued and stays settled; what cert-manager refuses is refused by field."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from tests.integration.specs.issued import NOW, Issued, authority, issue
from tests.integration.specs.strategies import specs
from tests.integration.specs.upstream import refused_fields

from certwright.api import certmanager_v1 as cm
from certwright.api.crds import V1_KINDS, custom_resource_definition
from certwright.api.meta import JSONObject, MalformedObject, from_json
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.pki import pem
from certwright.rules.validation import certificate_problems, request_problem

pytestmark = pytest.mark.needs("openssl")
Plain = dict[str, Any]

EACH = 10
"""Of so many accepted specs, OpenSSL sees one."""


def test_three_hundred(tmp_path: Path) -> None:
    run(300, tmp_path, derandomize=True)


@pytest.mark.long
def test_ten_thousand(tmp_path: Path) -> None:
    run(10_000, tmp_path, derandomize=False)


def run(examples: int, folder: Path, *, derandomize: bool) -> None:
    seen: list[Issued] = []

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(specs())
    def check(spec: Plain) -> None:
        judge(spec, seen)

    check()

    assert len(seen) > examples / 5
    judge_with_openssl(seen[::EACH], folder)


def judge(spec: Plain, seen: list[Issued]) -> None:
    complaints = refusals(spec)
    text, refused = "\n".join(complaints), refused_fields(spec)
    # An API server leaves the rules alone where a type or a choice is wrong: then it is enough to name that.
    named = any if "rules were not checked" in text else all
    assert not refused or named(field in text for field in refused), (refused, text)
    if not complaints:
        seen.append(issue(spec))


def refusals(spec: Plain) -> list[str]:
    """The sentences of our definition of the kind, and those of the rules."""
    found = schema().validate(cast(JSONObject, {"metadata": {"name": "web"}, "spec": spec}))
    told = [f"{cause.field}: {cause.message}" for cause in found]
    try:
        parsed = from_json(cm.CertificateSpec, spec)
    except MalformedObject:
        assert told
        return told
    problems = [f"{problem.field}: {problem.message}" for problem in certificate_problems(parsed)]
    blocking = request_problem(parsed)
    assert blocking is None or f"{blocking.field}: {blocking.message}" in problems
    return told + problems


@cache
def schema() -> StructuralSchema:
    definition = cast(Plain, custom_resource_definition(next(kind for kind in V1_KINDS if kind.name == "Certificate")))
    return StructuralSchema.compile(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def judge_with_openssl(seen: list[Issued], folder: Path) -> None:
    """Each request alone, as there is no other way; all certificates at once."""
    (folder / "root.pem").write_bytes(authority().chain.chain_pem)
    names = []
    for number, issued in enumerate(seen):
        assert b"verify OK" in openssl("req", "-verify", "-noout", given=issued.csr)
        leaf, own = pem.split_certificates(issued.chain, "the chain")
        (folder / f"{number}.pem").write_bytes(pem.write_certificates([leaf]))
        (folder / f"{number}-own.pem").write_bytes(pem.write_certificates([own]))
        names.append(f"{number}.pem")
    moment = str(int(NOW.timestamp()) + 60)
    answer = openssl("verify", "-attime", moment, "-CAfile", "root.pem", *names, folder=folder)
    assert answer.split() == [word for name in names for word in (f"{name}:".encode(), b"OK")]
    everything = b"".join(issued.chain for issued in seen)
    listed = openssl("crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", given=everything)
    assert openssl("pkcs7", "-print_certs", "-text", "-noout", given=listed).count(b"Certificate:") >= 2 * len(seen)


def openssl(*words: str, given: bytes = b"", folder: Path | None = None) -> bytes:
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout + done.stderr
