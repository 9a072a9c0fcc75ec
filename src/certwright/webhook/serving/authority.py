"""The CA of the webhook, in a Secret that all replicas share and from which its certificate is injected."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from msgspec import Struct

from certwright.api.core import Secret
from certwright.api.core_kinds import SECRET
from certwright.api.meta import JSONObject, MalformedObject, decode, from_json
from certwright.api.resource import Kind
from certwright.api.wellknown import Annotation, Label
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import Unreachable
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, ApiError, Conflict, NotFound
from certwright.pki.authority import SET_BACK, Authority, new_authority
from certwright.pki.certificate import Certificate, parse_certificate
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyAlgorithm, key_spec_of, parse_private_key, public_key_digest
from certwright.webhook.serving.source import NotYet

LIFETIME = timedelta(days=365)
COMMON_NAME = "cert-manager-webhook-ca"
MANAGED_BY = "cert-manager-webhook"
# Replicas that start at once overtake each other once; more is a sign of something else.
TRIES = 3
RAW_SECRET: Kind[JSONObject] = Kind(SECRET.resource, lambda raw: decode(dict, raw))


class SharedAuthority(Struct, frozen=True):
    """The CA, and the certificates that clients are told to trust: its own, and for a while that of the one before."""

    authority: Authority
    facts: Certificate
    bundle: bytes

    @property
    def made(self) -> datetime:
        """When it was made."""
        return self.facts.not_before + SET_BACK


class AuthoritySecret:
    """Reads the CA from its Secret; makes it where it is missing, unusable, or in the last third of its life."""

    def __init__(self, client: KubeClient, clock: Clock, key: ObjectKey) -> None:
        self._client = client
        self._clock = clock
        self._key = key

    async def current(self) -> SharedAuthority:
        """The one that all replicas use; raises NotYet where the Secret cannot be had."""
        try:
            for _ in range(TRIES):
                found = await self._read_or_make()
                if found is not None:
                    return found
        except (ApiError, Unreachable, MalformedObject) as error:
            raise NotYet(f"The CA in Secret {self._key} cannot be had: {error}") from error
        raise NotYet(f"The CA in Secret {self._key} changes all the time; look for who else writes it.")

    async def _read_or_make(self) -> SharedAuthority | None:
        """None where another writer was quicker."""
        now = self._clock.now()
        try:
            raw = await self._client.get(RAW_SECRET, self._key)
        except NotFound:
            return await self._written(lambda body: self._client.create(RAW_SECRET, body, self._key.namespace), {}, now)
        found = _read(raw, now)
        if found is not None:
            return found
        # The role of the webhook may update the Secret, not patch it. The resourceVersion tells who was first.
        return await self._written(lambda body: self._client.update(RAW_SECRET, self._key, body), raw, now)

    async def _written(
        self, write: Callable[[JSONObject], Awaitable[JSONObject]], old: JSONObject, now: datetime
    ) -> SharedAuthority | None:
        try:
            return _read(await write(_body(self._key, old, now)), now)
        except (AlreadyExists, Conflict):
            return None


def _read(raw: JSONObject, now: datetime) -> SharedAuthority | None:
    """The CA in a Secret; None where it is not usable, or in the last third of its life."""
    data = from_json(Secret, raw).data
    pem, key_pem = data.get("tls.crt", b""), data.get("tls.key", b"")
    try:
        facts = parse_certificate(pem, "the CA of the webhook")
        key = parse_private_key(key_pem)
        fits = public_key_digest(key) == facts.public_key_digest and key_spec_of(key).algorithm is KeyAlgorithm.ECDSA
    except PkiError:
        return None
    left = facts.not_after - now
    if not fits or not facts.is_ca or not facts.subject_key_id or left < (facts.not_after - facts.not_before) / 3:
        return None
    return SharedAuthority(Authority(pem, key_pem), facts, data.get("ca.crt", b""))


def _body(key: ObjectKey, old: JSONObject, now: datetime) -> JSONObject:
    made = new_authority(COMMON_NAME, now, LIFETIME)
    bundle = made.cert_pem + _still_trusted(old, now)
    data = {"tls.crt": made.cert_pem, "tls.key": made.key_pem, "ca.crt": bundle}
    metadata: JSONObject = {"name": key.name, "namespace": key.namespace, **_object(old, "metadata")}
    marks = {
        "annotations": {Annotation.ALLOW_DIRECT_INJECTION: "true"},
        "labels": {Label.MANAGED_BY: MANAGED_BY},
    }
    for name, values in marks.items():
        metadata[name] = {**_object(metadata, name), **values}
    encoded: JSONObject = {name: base64.b64encode(value).decode() for name, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        **old,
        "metadata": metadata,
        "data": {**_object(old, "data"), **encoded},
    }


def _still_trusted(old: JSONObject, now: datetime) -> bytes:
    """The certificate of the CA before, whose leaves are served for a while yet."""
    pem = from_json(Secret, old).data.get("tls.crt", b"") if old else b""
    try:
        ends = parse_certificate(pem).not_after
    except PkiError:
        return b""
    return pem if ends > now else b""


def _object(holder: JSONObject, name: str) -> JSONObject:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
