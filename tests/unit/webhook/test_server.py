"""The webhook over TLS: what is answered, what is refused with a sentence, and who may ask."""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.unit.webhook import tls
from tests.unit.webhook.questions import CERTIFICATE, REQUEST, Plain, Server, admission

from certwright.kube.wire.json import JSONObject
from certwright.rest import show_certificate
from certwright.rules.identity import Requester
from certwright.webhook.admission import Admission
from certwright.webhook.approval import Signer
from certwright.webhook.review import LARGEST_REVIEW
from certwright.webhook.server import AdmissionServer
from certwright.webhook.serving.callers import Callers
from certwright.webhook.serving.tls import server_context

CA = tls.new_ca()


def review(plural: str, spec: Plain, **more: Any) -> bytes:
    resource = {"group": "cert-manager.io", "version": "v1", "resource": plural}
    request = {
        "uid": "u1",
        "resource": resource,
        "operation": "CREATE",
        "namespace": "shop",
        "userInfo": {"username": "ann", "uid": "7", "groups": ["team", "system:authenticated"]},
        "object": {"metadata": {"name": "x"}, "spec": spec},
        **more,
    }
    return msgspec.json.encode({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})


@asynccontextmanager
async def serving(asked: Admission | None = None, callers: Callers | None = None) -> AsyncIterator[int]:
    context = server_context()
    pair = tls.server_pair(CA)
    show_certificate(context, pair.cert_pem, pair.key_pem)
    callers = callers or Callers()
    callers.load(context)
    server = AdmissionServer(asked or admission(), context, callers)
    await server.start("127.0.0.1", 0)
    try:
        yield server.port
    finally:
        await server.stop()


async def answered(path: str, body: bytes) -> JSONObject:
    async with serving() as port:
        status, text = await tls.post(port, path, body, tls.trusting(CA))
    assert status == 200, text
    response: JSONObject = msgspec.json.decode(text)["response"]
    return response


async def test_mutate_answers_with_a_patch() -> None:
    response = await answered("/mutate", review("certificaterequests", {**REQUEST, "username": "eve"}))

    patch = msgspec.json.decode(base64.b64decode(str(response["patch"])))
    assert (response["uid"], response["allowed"]) == ("u1", True)
    assert {"op": "add", "path": "/spec/username", "value": "ann"} in patch


async def test_validate_answers_by_the_rules() -> None:
    good = await answered("/validate?timeout=30s", review("certificates", CERTIFICATE))
    bad = await answered("/validate", review("certificates", {**CERTIFICATE, "commonName": "a" * 65}))

    assert good == {"uid": "u1", "allowed": True}
    status = bad["status"]
    assert isinstance(status, dict)
    assert str(status.pop("message")).startswith("spec.commonName: Invalid value: The common name may have 64 ")
    assert status == {"status": "Failure", "reason": "Forbidden", "code": 403}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/validate", b"no JSON", 400, "The body is no AdmissionReview"),
        ("/mutate", b"", 400, "The body is no AdmissionReview"),
        ("/validate", b"[" * 100_000, 400, "nests deeper than 200 levels"),
        ("/validate", b" " * (LARGEST_REVIEW + 1), 413, f"larger than {LARGEST_REVIEW} bytes"),
        ("/convert", b"{}", 404, "There is no /convert here"),
        ("/", b"{}", 404, "There is no / here"),
    ],
)
async def test_what_cannot_be_answered_is_said_in_a_sentence(path: str, body: bytes, status: int, words: str) -> None:
    async with serving() as port:
        found = await tls.post(port, path, body, tls.trusting(CA))

    assert found[0] == status
    assert words in found[1]
    assert found[1].endswith("\n")


async def test_only_posts_are_answered() -> None:
    async with (
        serving() as port,
        aiohttp.ClientSession() as session,
        session.get(f"https://127.0.0.1:{port}/validate", ssl=tls.trusting(CA)) as answer,
    ):
        assert (answer.status, await answer.text()) == (405, "Reviews are posted; use POST.\n")


class Broken(Server):
    """Fails as only a fault of ours does."""

    async def find(self, group: str, kind: str) -> Signer | None:
        raise KeyError("a fault")

    async def may_approve(self, requester: Requester, signer: str) -> bool:
        raise KeyError("a fault")


async def test_a_fault_of_ours_is_logged_and_no_traceback_goes_out(caplog: pytest.LogCaptureFixture) -> None:
    approving = review(
        "certificaterequests",
        REQUEST,
        operation="UPDATE",
        subResource="status",
        object={"spec": REQUEST, "status": {"conditions": [{"type": "Approved", "status": "True"}]}},
        oldObject={"spec": REQUEST},
    )
    async with serving(admission(Broken())) as port:
        with caplog.at_level(logging.ERROR):
            failed = await tls.post(port, "/validate", approving, tls.trusting(CA))
        again = await tls.post(port, "/validate", review("certificates", CERTIFICATE), tls.trusting(CA))

    assert failed == (500, "The webhook failed on this review; its log has the reason.\n")
    assert "KeyError" in caplog.text
    assert again[0] == 200


async def test_a_certificate_of_the_client_ca_is_demanded(tmp_path: Path) -> None:
    client_ca = tls.new_ca()
    (tmp_path / "ca.crt").write_bytes(client_ca.cert_pem)
    body = review("certificates", CERTIFICATE)
    async with serving(callers=Callers(tmp_path / "ca.crt")) as port:
        shown = await tls.post(port, "/validate", body, tls.trusting(CA, tls.client_pair(client_ca, "kube-apiserver")))
        for stranger in (None, tls.client_pair(CA, "kube-apiserver")):
            with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
                await tls.post(port, "/validate", body, tls.trusting(CA, stranger))

    assert shown[0] == 200


async def test_names_of_clients(tmp_path: Path) -> None:
    client_ca = tls.new_ca()
    (tmp_path / "ca.crt").write_bytes(client_ca.cert_pem)
    callers = Callers(tmp_path / "ca.crt", frozenset({"kube-apiserver", "api.example.test"}))
    body = review("certificates", CERTIFICATE)
    async with serving(callers=callers) as port:
        known = await tls.post(port, "/validate", body, tls.trusting(CA, tls.client_pair(client_ca, "kube-apiserver")))
        other = await tls.post(port, "/validate", body, tls.trusting(CA, tls.client_pair(client_ca, "eve")))

    assert known[0] == 200
    assert other[0] == 403
    assert "--client-subject-names" in other[1]
