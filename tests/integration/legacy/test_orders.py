"""What an ACME order comes to is told on the legacy Certificate; the order and its challenges are made by hand here."""

from __future__ import annotations

import pytest
from tests.integration.legacy.rig import LEGACY, MODERN, Plain, Rig, condition_of
from tests.kubernetes.eventually import eventually

pytestmark = pytest.mark.needs("kubectl")

ACME = "/apis/acme.cert-manager.io/v1"
CLOUDFLARE: Plain = {"email": "e", "apiKeySecretRef": {"name": "s", "key": "k"}}
ISSUER: Plain = {
    "acme": {
        "server": "https://acme",
        "privateKeySecretRef": {"name": "account"},
        "dns01": {"providers": [{"name": "p", "cloudflare": CLOUDFLARE}]},
    }
}
CERTIFICATE: Plain = {
    "secretName": "web-tls",
    "issuerRef": {"name": "acme"},
    "dnsNames": ["a.example.com"],
    "acme": {"config": [{"domains": ["a.example.com"], "dns01": {"provider": "p"}}]},
}
REF: Plain = {"name": "acme", "kind": "Issuer", "group": "certmanager.k8s.io"}
AUTHORIZATION: Plain = {
    "url": "https://acme/authz/1",
    "identifier": "a.example.com",
    "wildcard": False,
    "initialState": "pending",
    "challenges": [{"url": "https://acme/chall/1", "token": "t", "type": "dns-01"}],
}


class Story:
    """A legacy Certificate, its request, and the order that an ACME issuer would make of it."""

    def __init__(self, rig: Rig, certificate: Plain, request: Plain) -> None:
        self._rig = rig
        self.uid = certificate["metadata"]["uid"]
        self._request = request
        self._order = f"{ACME}/namespaces/{rig.namespace}/orders"
        self._challenge = f"{ACME}/namespaces/{rig.namespace}/challenges"

    async def place(self) -> None:
        """The order, not yet known to the CA."""
        owner = self._owner("cert-manager.io/v1", "CertificateRequest", self._request)
        spec = {"request": self._request["spec"]["request"], "issuerRef": REF, "dnsNames": ["a.example.com"]}
        body = {"metadata": {"name": "order", "ownerReferences": [owner]}, "spec": spec}
        self._placed = (await self._rig.server.http.post(self._order, self._of("Order", body))).ok

    async def order(self, **status: object) -> None:
        """What the CA says of the order."""
        (await self._rig.server.http.patch(f"{self._order}/order/status", {"status": status})).ok  # noqa: B018

    async def challenge(self, **status: object) -> None:
        """The challenge, made at its first change."""
        if (await self._rig.server.http.get(f"{self._challenge}/challenge")).code == 404:
            owner = self._owner("acme.cert-manager.io/v1", "Order", self._placed)
            spec = {
                "url": "https://acme/chall/1",
                "authorizationURL": AUTHORIZATION["url"],
                "dnsName": "a.example.com",
                "wildcard": False,
                "type": "DNS-01",
                "token": "t",
                "key": "k",
                "issuerRef": REF,
                "solver": {"dns01": {"cloudflare": CLOUDFLARE}},
            }
            body = {"metadata": {"name": "challenge", "ownerReferences": [owner]}, "spec": spec}
            (await self._rig.server.http.post(self._challenge, self._of("Challenge", body))).ok  # noqa: B018
        whole = {"processing": True, "presented": False, **status}
        path = f"{self._challenge}/challenge/status"
        (await self._rig.server.http.patch(path, {"status": whole})).ok  # noqa: B018

    async def reasons(self, *wanted: str) -> None:
        """Return once exactly these Normal events were told, in this order."""

        async def look() -> bool:
            told = [event[1] for event in await self._rig.events(self.uid) if event[0] == "Normal"]
            return told == list(wanted)

        await eventually(look)

    async def condition(self, kind: str, reason: str) -> Plain:
        """The condition, once it has that reason."""

        async def look() -> Plain | None:
            found = await self._rig.get(LEGACY, "certificates", "web")
            condition = condition_of(found or {}, kind)
            return condition if condition and condition.get("reason") == reason else None

        return await eventually(look)

    def _of(self, kind: str, body: Plain) -> Plain:
        return {"apiVersion": "acme.cert-manager.io/v1", "kind": kind, **body}

    def _owner(self, api_version: str, kind: str, owner: Plain) -> Plain:
        metadata = owner["metadata"]
        return {
            "apiVersion": api_version,
            "kind": kind,
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
        }


@pytest.fixture
async def story(rig: Rig) -> Story:
    """A Certificate whose request waits for its ACME issuer."""
    await rig.make("Issuer", "acme", ISSUER)
    await rig.ready("issuers", "acme", "ACMEAccountRegistered")
    made = await rig.make("Certificate", "web", CERTIFICATE)

    async def requested() -> Plain | None:
        return await rig.get(MODERN, "certificaterequests", "web.legacy-1")

    return Story(rig, made, await eventually(requested))


async def test_the_request_carries_the_choice_of_solvers(rig: Rig, story: Story) -> None:
    request = await rig.get(MODERN, "certificaterequests", "web.legacy-1")

    assert request is not None
    assert request["spec"]["issuerRef"] == REF
    assert '"provider":"p"' in request["metadata"]["annotations"]["certwright.io/solver-plan"]


async def test_an_order_whose_domain_has_to_be_proved(rig: Rig, story: Story) -> None:
    await story.place()
    await story.reasons()

    await story.order(url="https://acme/order/1", state="pending", authorizations=[AUTHORIZATION])
    await story.reasons("CreateOrder")
    await story.challenge(state="pending", presented=True, reason="Waiting for DNS-01 challenge propagation: none")
    checked = await story.condition("Ready", "ValidateError")
    assert checked["message"] == 'dns-01 self check failed for domain "a.example.com"'
    await story.challenge(state="valid", presented=False)
    await story.reasons("CreateOrder", "DomainVerified")
    await story.order(state="ready")
    await story.reasons("CreateOrder", "DomainVerified", "IssueCert")
    validated = await story.condition("ValidateFailed", "OrderValidated")
    assert (validated["status"], validated["message"]) == ("False", "Order validated")
    await story.order(state="valid")
    await story.reasons("CreateOrder", "DomainVerified", "IssueCert", "CertObtained")

    found = await rig.get(LEGACY, "certificates", "web")
    assert found is not None
    assert found["status"]["acme"]["order"]["url"] == "https://acme/order/1"


async def test_the_twin_is_told_the_same(rig: Rig, story: Story) -> None:
    await story.place()
    await story.order(url="https://acme/order/1", state="valid", authorizations=[AUTHORIZATION])
    await story.reasons("CreateOrder", "DomainVerified", "IssueCert", "CertObtained")
    twin = await rig.get(MODERN, "certificates", "web")
    assert twin is not None

    original = [event for event in await rig.events(story.uid) if event[0] == "Normal"]

    assert [event for event in await rig.events(twin["metadata"]["uid"]) if event[0] == "Normal"] == original


async def test_an_order_that_turns_invalid_makes_wait_five_minutes(rig: Rig, story: Story) -> None:
    await story.place()
    await story.order(
        url="https://acme/order/1",
        state="invalid",
        reason="no TXT record",
        authorizations=[AUTHORIZATION],
        failureTime="2026-01-01T00:00:00Z",
    )
    failed = await story.condition("ValidateFailed", "OrderFailed")
    assert (failed["status"], failed["message"]) == ("True", "Order status is invalid: no TXT record")

    path = f"{MODERN}/namespaces/{rig.namespace}/certificaterequests/web.legacy-1"
    found = (await rig.server.http.get(path)).ok
    others = [each for each in found["status"].get("conditions", []) if each["type"] != "Ready"]
    ready = {"type": "Ready", "status": "False", "reason": "Failed", "message": "the order failed"}
    status = {"conditions": [*others, ready], "failureTime": "2026-01-01T00:00:00Z"}
    (await rig.server.http.patch(f"{path}/status", {"status": status})).ok  # noqa: B018

    backoff = await story.condition("Ready", "Backoff")
    assert backoff["message"] == "Backing off 5m0s until attempting re-validation"
    certificate = await rig.get(LEGACY, "certificates", "web")
    assert certificate is not None
    assert certificate["status"]["failedIssuanceAttempts"] == 1
