"""Questions of admission as tests ask them, and who answers."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from tests.unit.rules.sample import csr
from tests.unit.rules.sample import spec as certificate_spec

from certwright.rules.gates import Gates
from certwright.rules.identity import Requester
from certwright.webhook.admission import Admission
from certwright.webhook.approval import Approvals, Signer
from certwright.webhook.review import Allowed, Answer, Question, Refused

Plain = dict[str, Any]

CM, ACME = "cert-manager.io", "acme.cert-manager.io"
ANN = Requester(username="ann", uid="7", groups=("team", "system:authenticated"))
CERTIFICATE: Plain = {
    "secretName": "web",
    "dnsNames": ["web.example.test"],
    "privateKey": {"algorithm": "ECDSA"},
    "issuerRef": {"name": "ca"},
}
IDENTITY: Plain = {"username": "ann", "uid": "7", "groups": ["team", "system:authenticated"]}
REQUEST: Plain = {
    "issuerRef": {"name": "ca"},
    "request": base64.b64encode(csr(certificate_spec())).decode(),
    **IDENTITY,
}
APPROVED: Plain = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}
DENIED: Plain = {"type": "Denied", "status": "True", "reason": "r", "message": "m"}


class Server:
    """Knows two kinds of issuers, and the permissions it was told; counts what it is asked."""

    def __init__(self, *granted: tuple[str, str]) -> None:
        self.granted = set(granted)
        self.asked: list[str] = []

    async def find(self, group: str, kind: str) -> Signer | None:
        known = {
            (CM, "Issuer"): Signer(f"issuers.{CM}", namespaced=True),
            (CM, "ClusterIssuer"): Signer(f"clusterissuers.{CM}", namespaced=False),
        }
        return known.get((group, kind))

    async def may_approve(self, requester: Requester, signer: str) -> bool:
        self.asked.append(signer)
        return (requester.username, signer) in self.granted


def admission(server: Server | None = None, gates: Gates | None = None) -> Admission:
    """Who answers."""
    found = server or Server()
    return Admission(Approvals(found, found), gates or Gates())


def body(spec: Plain, **more: Any) -> bytes:
    """An object with that spec."""
    return msgspec.json.encode({"metadata": {"name": "x", "namespace": "shop"}, "spec": spec, **more})


def question(plural: str, new: bytes, old: bytes = b"", **more: Any) -> Question:
    """CREATE, or UPDATE where there is an old form."""
    return Question(
        operation="UPDATE" if old else "CREATE",
        plural=plural,
        object=new,
        old=old,
        **{"group": CM, "namespace": "shop", "requester": ANN, **more},
    )


def judged(*conditions: Plain, **spec: Any) -> bytes:
    """A CertificateRequest with those conditions."""
    return body({**REQUEST, **spec}, status={"conditions": list(conditions)})


def refusal(answer: Answer) -> str:
    """Why it was refused; empty where it was not."""
    return answer.message if isinstance(answer, Refused) else ""


def warnings(answer: Answer) -> tuple[str, ...]:
    """What was told although it is allowed."""
    assert isinstance(answer, Allowed), answer
    return answer.warnings
