"""Everything that belongs to one Certificate, read from the API server for `status certificate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.core import Event
from certwright.api.core_kinds import EVENT, SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST, CHALLENGE, CLUSTER_ISSUER, ISSUER, ORDER
from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import CERT_MANAGER_GROUP, Annotation
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.pki.certificate import Certificate, first_certificate_der, parse_certificate, public_key_of
from certwright.pki.keys import key_spec_of


class SecretStory(Struct, frozen=True):
    """What may be told of the target Secret; `problem` says why there is no certificate."""

    name: str
    certificate: Certificate | None
    key_algorithm: str
    problem: str
    events: Sequence[Event]


class Story(Struct, frozen=True, kw_only=True):
    """A Certificate with what it depends on; None where it is not there."""

    certificate: cm.Certificate
    events: Sequence[Event]
    issuer: cm.Issuer | cm.ClusterIssuer | None
    issuer_events: Sequence[Event]
    secret: SecretStory
    request: cm.CertificateRequest | None
    request_events: Sequence[Event]
    order: acme.Order | None
    challenges: Sequence[acme.Challenge]


async def read_story(client: KubeClient, where: ObjectKey) -> Story:
    """The story of that Certificate; raises `NotFound` where there is none."""
    certificate = await client.get(CERTIFICATE, where)
    issuer = await _issuer(client, certificate)
    request = await _request(client, certificate)
    order = await _order(client, request) if request else None
    return Story(
        certificate=certificate,
        events=await events_of(client, certificate.metadata),
        issuer=issuer,
        issuer_events=await events_of(client, issuer.metadata) if issuer else (),
        secret=await _secret(client, where.namespace, certificate.spec.secret_name),
        request=request,
        request_events=await events_of(client, request.metadata) if request else (),
        order=order,
        challenges=await _challenges(client, order) if order else (),
    )


async def events_of(client: KubeClient, metadata: ObjectMeta) -> tuple[Event, ...]:
    """The events about an object."""
    return await events_about(client, metadata.namespace, metadata.uid)


async def events_about(client: KubeClient, namespace: str, uid: str) -> tuple[Event, ...]:
    """The events about the object with that uid, oldest first; those of cluster-scoped ones are in `default`."""
    selection = Selection(namespace=namespace or "default", fields=f"involvedObject.uid={uid}")
    found = (await client.list(EVENT, selection)).items
    return tuple(sorted(found, key=when))


def when(event: Event) -> datetime:
    """The moment of an event's last occurrence."""
    found = event.last_timestamp or event.event_time or event.metadata.creation_timestamp
    return found or datetime.min.replace(tzinfo=UTC)


async def _issuer(client: KubeClient, certificate: cm.Certificate) -> cm.Issuer | cm.ClusterIssuer | None:
    ref = certificate.spec.issuer_ref
    if ref.group not in {"", CERT_MANAGER_GROUP}:
        return None
    try:
        if ref.kind == "ClusterIssuer":
            return await client.get(CLUSTER_ISSUER, ObjectKey("", ref.name))
        return await client.get(ISSUER, ObjectKey(certificate.metadata.namespace, ref.name))
    except NotFound:
        return None


async def _request(client: KubeClient, certificate: cm.Certificate) -> cm.CertificateRequest | None:
    wanted = str((certificate.status.revision or 0) + 1)
    found = await client.list(CERTIFICATE_REQUEST, Selection(namespace=certificate.metadata.namespace))
    return next((r for r in found.items if is_owned(r.metadata, certificate.metadata) and _revision(r) == wanted), None)


def _revision(request: cm.CertificateRequest) -> str:
    return request.metadata.annotations.get(Annotation.CERTIFICATE_REVISION, "")


def is_owned(metadata: ObjectMeta, owner: ObjectMeta) -> bool:
    """Whether one of the owner references means `owner`."""
    return any(ref.uid == owner.uid for ref in metadata.owner_references)


async def _order(client: KubeClient, request: cm.CertificateRequest) -> acme.Order | None:
    found = await client.list(ORDER, Selection(namespace=request.metadata.namespace))
    return next((order for order in found.items if is_owned(order.metadata, request.metadata)), None)


async def _challenges(client: KubeClient, order: acme.Order) -> tuple[acme.Challenge, ...]:
    found = await client.list(CHALLENGE, Selection(namespace=order.metadata.namespace))
    return tuple(each for each in found.items if is_owned(each.metadata, order.metadata))


async def _secret(client: KubeClient, namespace: str, name: str) -> SecretStory:
    try:
        secret = await client.get(SECRET, ObjectKey(namespace, name))
    except NotFound as error:
        return SecretStory(name, None, "", f'error when finding Secret "{name}": {error}', ())
    events = await events_of(client, secret.metadata)
    text = secret.data.get("tls.crt", b"")
    if not text:
        return SecretStory(name, None, "", f'error: "tls.crt" of Secret "{name}" is not set', events)
    try:
        key = public_key_of(first_certificate_der(text, "tls.crt"))
        return SecretStory(name, parse_certificate(text, "tls.crt"), key_spec_of(key).algorithm, "", events)
    except ValueError as error:
        return SecretStory(name, None, "", f'error when parsing "tls.crt" of Secret "{name}": {error}', events)
