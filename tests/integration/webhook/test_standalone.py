"""`certwright run` enforces the same rules without a webhook process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from tests.integration.policies.rig import RBAC, approve, certificate_request, requests_of
from tests.integration.webhook.rig import DENIED
from tests.kubernetes.authority import Authority
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http
from tests.unit.rules.issuer_samples import BAD, GOOD, acme
from tests.unit.webhook.questions import CERTIFICATE

from certwright.app.options import ControllerOptions, Outside
from certwright.app.standalone import StandaloneOptions, standalone
from certwright.clock import SystemClock
from certwright.cluster.settings import Settings
from certwright.kube.wire.json import JSONObject
from certwright.rules.gates import read_gates

NAMESPACE = "default"
CERT_MANAGER = "/apis/cert-manager.io/v1"
FORGED: dict[str, Any] = {"username": "eve", "groups": ["system:masters"]}


class World:
    """A standalone server, and people who call it."""

    def __init__(self, url: str, folder: Path, stack: AsyncExitStack) -> None:
        self._url = url
        self._folder = folder
        self._stack = stack
        self._authority = Authority.of_file(folder, folder / "data" / "pki" / "ca.pem")

    async def person(self, name: str, *groups: str) -> Http:
        """Somebody with a client certificate."""
        pair = self._authority.client(name, name, groups)
        context = ssl.create_default_context(cafile=self._authority.certificate)
        context.load_cert_chain(pair.certificate, pair.key)
        return await self._stack.enter_async_context(Http(self._url, context))

    async def admin(self) -> Http:
        """Who may do everything."""
        return await self.person("admin", "system:masters")


@asynccontextmanager
async def running(
    folder: Path, mode: Literal["AlwaysAllow", "RBAC"] = "AlwaysAllow", gates: tuple[str, ...] = ()
) -> AsyncIterator[World]:
    """Without a CA, and with controllers that approve nothing."""
    options = StandaloneOptions(
        data_dir=folder / "data",
        port=0,
        acme_port=None,
        authorization_mode=mode,
        controller=ControllerOptions(
            settings=Settings(gates=read_gates(gates)),
            controllers=("issuers", "certificates-trigger"),
            outside=Outside(http01_listen_address="127.0.0.1:0", http01_addresses=()),
            metrics_listen_address="0",
            healthz_listen_address="0",
        ),
    )
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(standalone(options, SystemClock()))
        yield World(found.api_url, folder, stack)


def certificate(**changes: Any) -> JSONObject:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"generateName": "x-"},
        "spec": {**CERTIFICATE, **changes},
    }


def certificates_of(namespace: str) -> str:
    return f"{CERT_MANAGER}/namespaces/{namespace}/certificates"


async def test_every_sample_of_an_issuer(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        admin = await world.admin()

        async def code(spec: dict[str, Any]) -> int:
            body = {
                "apiVersion": "cert-manager.io/v1",
                "kind": "ClusterIssuer",
                "metadata": {"generateName": "x-"},
                "spec": spec,
            }
            return (await admin.post(f"{CERT_MANAGER}/clusterissuers", body, dryRun="All")).code

        good = await asyncio.gather(*(code(spec) for spec in GOOD))
        bad = await asyncio.gather(*(code(spec) for spec, _ in BAD))

    assert set(good) == {201}
    assert set(bad) <= {403, 422}


async def test_the_words_are_those_of_a_cluster(tmp_path: Path) -> None:
    binding = {"keyID": "1", "keySecretRef": {"name": "s", "key": "k"}, "keyAlgorithm": "HS256"}
    issuer = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": "x"},
        "spec": acme(externalAccountBinding=binding),
    }
    async with running(tmp_path, gates=("OtherNames=false",)) as world:
        admin = await world.admin()
        bad = await admin.post(certificates_of(NAMESPACE), certificate(ipAddresses=["10.0.0.256"]))
        gated = await admin.post(
            certificates_of(NAMESPACE), certificate(otherNames=[{"oid": "1.2.3", "utf8Value": "x"}])
        )
        warned = await admin.post(f"{CERT_MANAGER}/clusterissuers", issuer, dryRun="All")

    assert (bad.code, bad.body["reason"]) == (403, "Forbidden")
    assert bad.body["message"].startswith(f"{DENIED}spec.ipAddresses[0]: Invalid value: ")
    assert "spec.otherNames: Forbidden: " in gated.body["message"]
    assert any("keyAlgorithm is deprecated" in warning for warning in warned.warnings)


async def test_a_namespace_with_the_label_is_left_out(tmp_path: Path) -> None:
    body = {"metadata": {"name": "free", "labels": {"cert-manager.io/disable-validation": "true"}}}
    async with running(tmp_path) as world:
        admin = await world.admin()
        await admin.post("/api/v1/namespaces", body)

        answer = await admin.post(certificates_of("free"), certificate(ipAddresses=["10.0.0.256"]), dryRun="All")
        forged = await admin.post(requests_of("free"), certificate_request("a", **FORGED), dryRun="All")

    assert answer.code == 201
    assert forged.ok["spec"]["username"] == "admin"


async def test_identities_are_filled_in_and_fixed(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ann = await world.person("ann", "team")
        made = await ann.post(requests_of(NAMESPACE), certificate_request("a", **FORGED))
        note = {"metadata": {"annotations": {"cert-manager.io/x": "1"}}}
        noted = await ann.patch(requests_of(NAMESPACE, "a"), note)
        approved = await approve(ann, NAMESPACE, "a")

    spec = made.ok["spec"]
    assert (spec["username"], spec["uid"], spec["groups"]) == ("ann", "", ["team", "system:authenticated"])
    assert noted.code == 403
    # Without RBAC everybody may do everything.
    assert approved.code == 200


async def grant(admin: Http, user: str, signer: str) -> None:
    """The user may write CertificateRequests, and approve for that name of a signer."""
    requests = ["certificaterequests", "certificaterequests/status"]
    rules = [
        {"apiGroups": ["cert-manager.io"], "resources": requests, "verbs": ["*"]},
        {"apiGroups": ["cert-manager.io"], "resources": ["signers"], "verbs": ["approve"], "resourceNames": [signer]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user}
    subjects = [{"kind": "User", "name": user, "apiGroup": role["apiGroup"]}]
    binding = {"metadata": {"name": user}, "roleRef": role, "subjects": subjects}
    await admin.post(f"{RBAC}/clusterroles", {"metadata": {"name": user}, "rules": rules})
    (await admin.post(f"{RBAC}/clusterrolebindings", binding)).ok  # noqa: B018 asserts success


async def test_with_rbac_approvers_need_their_permission(tmp_path: Path) -> None:
    signers = {"ann": "*", "bob": "default.ca", "eve": "ca"}
    ghost = {"name": "x", "kind": "Ghost", "group": "ghosts.example.test"}
    codes: dict[str, int] = {}
    async with running(tmp_path, "RBAC") as world:
        admin = await world.admin()
        await admin.post(requests_of(NAMESPACE), certificate_request("ghost", ghost))
        for user, signer in signers.items():
            await grant(admin, user, f"issuers.cert-manager.io/{signer}")
            person = await world.person(user)
            (await person.post(requests_of(NAMESPACE), certificate_request(user))).ok  # noqa: B018 asserts success
            codes[user] = (await approve(person, NAMESPACE, user)).code
        unknown = await approve(admin, NAMESPACE, "ghost")

    assert codes == {"ann": 200, "bob": 200, "eve": 403}
    assert unknown.code == 403
    assert "There is no kind Ghost of ghosts.example.test" in unknown.body["message"]


async def test_certificates_are_issued_by_the_controllers_inside(tmp_path: Path) -> None:
    options = StandaloneOptions(
        data_dir=tmp_path / "data",
        port=0,
        acme_port=None,
        authorization_mode="RBAC",
        controller=ControllerOptions(
            outside=Outside(http01_listen_address="127.0.0.1:0", http01_addresses=()),
            metrics_listen_address="0",
            healthz_listen_address="0",
        ),
    )
    issuer = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "ca"},
        "spec": {"selfSigned": {}},
    }
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(standalone(options, SystemClock()))
        admin = await World(found.api_url, tmp_path, stack).admin()
        (await admin.post(f"{CERT_MANAGER}/namespaces/{NAMESPACE}/issuers", issuer)).ok  # noqa: B018 asserts success
        name = (await admin.post(certificates_of(NAMESPACE), certificate())).ok["metadata"]["name"]

        async def is_ready() -> bool:
            status = (await admin.get(f"{certificates_of(NAMESPACE)}/{name}")).ok.get("status", {})
            return any((c["type"], c["status"]) == ("Ready", "True") for c in status.get("conditions", ()))

        await eventually(is_ready)
