"""What the demo does, step by step, with a check of everything that it shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar, cast

import dns.message
import dns.rcode
import msgspec
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from certwright.api.core import Event, Secret
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import LEGACY_CERTIFICATE, LEGACY_CLUSTER_ISSUER
from certwright.api.meta import JSONObject
from certwright.api.resource import Kind, Resource
from certwright.app.demo import MANIFESTS, DemoWorld, manifest
from certwright.app.standalone import until_cancelled
from certwright.cli.describing import aligned, describe, event_lines
from certwright.cli.story import events_about
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import parse_private_key, public_key_digest

T = TypeVar("T")
CERTIFICATE = ObjectKey("default", "demo-certi")
TARGET = ObjectKey("default", "demo-certi-tls")
ISSUER = ObjectKey("", "cert-demo")
NAME = "test.hwchiu.com"
PATIENCE = timedelta(seconds=50)
LOOK_AGAIN = timedelta(milliseconds=200)
FIRST_EVENTS = ("CreateOrder", "DomainVerified", "IssueCert", "CertObtained", "CertIssued")
RENEWAL_EVENTS = ("RenewCert", "CertObtained", "CertRenewed")


class Gave(Exception):
    """Something did not happen in time; the demo ends there."""


def raw(resource: Resource) -> Kind[JSONObject]:
    """Objects of a resource as plain JSON."""
    return Kind(resource, lambda body: cast("JSONObject", msgspec.json.decode(body, type=dict)))


class DemoStory:
    """Tells the story to `say`, and counts the checks that did not hold."""

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._say = say
        self._step = 0
        self._failed = 0
        self._started = clock.monotonic()
        self._is_complete = False

    @property
    def exit_code(self) -> int:
        """0 where the story was told to its end and every check held."""
        return 0 if self._is_complete and not self._failed else 1

    def begin(self) -> None:
        """Before anything is started."""
        self._say("Certwright demo: the whole way of a certificate, on this machine alone.\n")
        self._next("Starting API server, controllers, a local ACME CA, and a stand-in for Cloudflare with its DNS")

    async def tell(self, world: DemoWorld, *, keep: bool) -> None:
        """All of it; what does not come in time ends the story."""
        try:
            await self._issue(world)
            await self._renew(world)
            self._is_complete = True
        except Gave as gave:
            self._check(str(gave), False)
        self._end(world)
        if keep:
            self._say("Serving until Ctrl-C …")
            await until_cancelled()

    async def _issue(self, world: DemoWorld) -> None:
        self._say(f"      API server {world.running.api_url}, ACME CA {world.running.acme_directory}")
        secret, issuer, certificate = MANIFESTS
        self._next(f"Applying {secret} and {issuer}")
        await self._apply(world.client, secret, SECRET.resource)
        await self._apply(world.client, issuer, LEGACY_CLUSTER_ISSUER.resource)
        self._next("Waiting for the ClusterIssuer: it makes an account key and registers at the CA")
        await self._until("the ClusterIssuer is Ready", lambda: _is_ready(world.client, LEGACY_CLUSTER_ISSUER, ISSUER))
        await self._show(world.client, raw(LEGACY_CLUSTER_ISSUER.resource), ISSUER)
        self._next(f"Applying {certificate}: {NAME} is proved by a TXT record, then the CA signs")
        await self._apply(world.client, certificate, LEGACY_CERTIFICATE.resource)
        await self._until("the Certificate is Ready", lambda: _is_ready(world.client, LEGACY_CERTIFICATE, CERTIFICATE))
        await self._until("the event CertIssued", lambda: _has_event(world.client, "CertIssued"))
        events = await self._show(world.client, raw(LEGACY_CERTIFICATE.resource), CERTIFICATE)
        self._check("events in order: " + ", ".join(FIRST_EVENTS), in_order(FIRST_EVENTS, events))
        self._check("no warning among them", all(event.type == "Normal" for event in events))
        await self._verify(world)

    async def _apply(self, client: KubeClient, name: str, resource: Resource) -> None:
        body = manifest(name)
        metadata = cast("dict[str, str]", body["metadata"])
        await client.create(raw(resource), body, metadata.get("namespace", ""))
        self._say(f"      {resource.qualified}/{metadata['name']} created")

    async def _verify(self, world: DemoWorld) -> None:
        self._next("Verifying what lies in the Secret and what was left behind")
        secret = await world.client.get(SECRET, TARGET)
        leaf = parse_certificate(secret.data["tls.crt"], "tls.crt")
        assert world.running.acme_root is not None
        root = world.running.acme_root.read_bytes()
        key = parse_private_key(secret.data["tls.key"], "tls.key")
        self._check("the Secret is of type kubernetes.io/tls", secret.type == "kubernetes.io/tls")
        self._check(f"the certificate is for {NAME}", leaf.names.dns_names == (NAME,))
        self._check("the chain leads to the CA's root", self._is_trusted(secret, root))
        self._check("the private key belongs to the certificate", public_key_digest(key) == leaf.public_key_digest)
        verbs = {call.method for call in world.cloudflare.calls if "/dns_records" in call.path}
        self._check("the TXT record was made and deleted through Cloudflare's API", {"POST", "DELETE"} <= verbs)
        query = dns.message.make_query(f"_acme-challenge.{NAME}.", "TXT")
        self._check("no TXT record is left in the DNS", world.dns.answer(query).rcode() == dns.rcode.NXDOMAIN)

    def _is_trusted(self, secret: Secret, root: bytes) -> bool:
        leaf, *above = x509.load_pem_x509_certificates(secret.data["tls.crt"])
        store = Store(x509.load_pem_x509_certificates(root))
        verifier = PolicyBuilder().store(store).time(self._clock.now()).build_server_verifier(x509.DNSName(NAME))
        try:
            verifier.verify(leaf, above)
        except x509.verification.VerificationError as error:
            self._say(f"      {error}")
            return False
        return True

    async def _renew(self, world: DemoWorld) -> None:
        before = await world.client.get(SECRET, TARGET)
        old = parse_certificate(before.data["tls.crt"], "tls.crt")
        life = old.not_after - old.not_before
        self._next(f"Waiting for the renewal: this CA's certificates live {life.total_seconds():.0f} s only")
        await self._until("a new certificate", lambda: _has_changed(world.client, before))
        await self._until("the event CertRenewed", lambda: _has_event(world.client, "CertRenewed"))
        new = parse_certificate((await world.client.get(SECRET, TARGET)).data["tls.crt"], "tls.crt")
        events = await _events(world.client)
        self._say(_indented(aligned(event_lines(events, self._clock.now()))))
        self._check("the new certificate has another serial number", new.serial != old.serial)
        self._check("it came before the old one ended", new.not_before < old.not_after)
        self._check("the key is kept, as this API has it", new.public_key_digest == old.public_key_digest)
        self._check("events in order: " + ", ".join(RENEWAL_EVENTS), in_order(RENEWAL_EVENTS, events))

    async def _show(self, client: KubeClient, kind: Kind[JSONObject], key: ObjectKey) -> tuple[Event, ...]:
        found = await client.get(kind, key)
        uid = cast("dict[str, str]", found["metadata"])["uid"]
        events = await events_about(client, key.namespace, uid)
        self._say(_indented(describe(found, events, self._clock.now())))
        return events

    async def _until(self, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        end = self._clock.now() + PATIENCE
        while not await look():
            if self._clock.now() > end:
                raise Gave(f"{what} within {PATIENCE.total_seconds():.0f} s")
            await self._clock.wait(LOOK_AGAIN)
        self._check(what, True)

    def _next(self, text: str) -> None:
        self._step += 1
        seconds = self._clock.monotonic() - self._started
        self._say(f"[{self._step}] {text} …  ({seconds:.1f} s)")

    def _check(self, text: str, held: bool) -> None:
        self._failed += not held
        self._say(f"      {'✓' if held else '✗ NOT:'} {text}")

    def _end(self, world: DemoWorld) -> None:
        took = self._clock.monotonic() - self._started
        verdict = "every check held" if not self._failed else f"{self._failed} check(s) did not hold"
        self._say(f"\nDone in {took:.0f} s: {verdict}.\n")
        self._say("The same server for your own objects, with kubectl and every other client:\n")
        self._say("  certwright run --data-dir ./certwright-data")
        self._say("  kubectl --kubeconfig ./certwright-data/kubeconfig get certificates -A")
        self._say("  kubectl --kubeconfig ./certwright-data/kubeconfig describe certificate NAME\n")
        self._say(f"This one's kubeconfig is {world.running.kubeconfig}; `certwright demo --keep` leaves it running.")


def in_order(wanted: tuple[str, ...], events: tuple[Event, ...]) -> bool:
    """Whether the reasons occur in that order, others between them."""
    reasons = iter(event.reason for event in events)
    return all(any(reason == found for found in reasons) for reason in wanted)


async def _is_ready(client: KubeClient, kind: Kind[T], key: ObjectKey) -> bool:
    found = await client.get(raw(kind.resource), key)
    status = cast("dict[str, list[dict[str, str]]]", found.get("status") or {})
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))


async def _events(client: KubeClient) -> tuple[Event, ...]:
    found = await client.get(raw(LEGACY_CERTIFICATE.resource), CERTIFICATE)
    return await events_about(client, CERTIFICATE.namespace, cast("dict[str, str]", found["metadata"])["uid"])


async def _has_event(client: KubeClient, reason: str) -> bool:
    return any(event.reason == reason for event in await _events(client))


async def _has_changed(client: KubeClient, before: Secret) -> bool:
    try:
        found = await client.get(SECRET, TARGET)
    except NotFound:
        return False
    return found.data["tls.crt"] != before.data["tls.crt"]


def _indented(text: str) -> str:
    return "".join(f"      │ {line}\n" for line in text.splitlines())
