"""Private keys of issuances: made, kept in this process or in a temporary Secret, and taken away."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import string
from concurrent.futures import ThreadPoolExecutor

from certwright.api.core_kinds import SECRET
from certwright.api.meta import JSONObject, to_json
from certwright.api.wellknown import Label
from certwright.cluster.cluster import Cluster
from certwright.cluster.facts import TARGET_SECRET, secret_facts
from certwright.controllers.certificate.gather import CertificateView
from certwright.controllers.certificate.refusals import QUOTING, refusal
from certwright.errors import Retry
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Conflict, NotFound
from certwright.pki.errors import PkiError
from certwright.pki.keys import (
    KeyAlgorithm,
    KeyEncoding,
    KeySpec,
    PrivateKey,
    encode_private_key,
    generate,
    parse_private_key,
    public_key_digest,
)
from certwright.rules import defaults
from certwright.rules.facts import TLS_KEY, RequestFacts, SecretFacts
from certwright.rules.private_key import NewKey, PresentKey
from certwright.rules.request_content import owner_reference

MANAGER = "cert-manager-certificates-key-manager"
_LONGEST_START = 58  # as much of generateName as the API server keeps
_RANDOM = 5


class KeyManager:
    """RSA keys are made in a few threads (the library lets others run meanwhile), the others at once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="rsa-keys")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def key_for(self, view: CertificateView, choice: NewKey | PresentKey) -> PrivateKey:
        """The key of an issuance that begins."""
        if isinstance(choice, PresentKey):
            return await self.read(ObjectKey(view.certificate.key.namespace, choice.secret_name))
        return await self._generate(defaults.key_spec(view.spec))

    async def read(self, secret: ObjectKey) -> PrivateKey:
        """The key in a Secret."""
        value = await self._cluster.secrets.value(*secret, TLS_KEY)
        if value is None:
            raise Retry(f"Secret {secret} with the private key is gone")
        try:
            return parse_private_key(value, f"{TLS_KEY} in Secret {secret.name}")
        except PkiError as error:
            raise Retry(str(error)) from error

    async def store(self, view: CertificateView, key: PrivateKey) -> SecretFacts:
        """A temporary Secret with the key, which outlives this process."""
        body, namespace = _temporary_secret(view, key), view.certificate.key.namespace
        try:
            answer = await self._cluster.client.create(TARGET_SECRET, body, namespace, MANAGER)
        except QUOTING as error:
            raise Retry(f"The temporary Secret with the private key cannot be made: {refusal(error)}") from None
        self._cluster.caches.secrets.remember(answer)
        return secret_facts(answer)

    async def key_of(self, view: CertificateView, request: RequestFacts) -> PrivateKey:
        """The key that a request was made with."""
        key, digest = self._cluster.pending.get(request.key), self._cluster.pending.digest(request.key)
        if key is None:
            stored = view.key_secret
            if stored is None:
                raise Retry(f"the private key of CertificateRequest {request.key} is gone")
            key = await self.read(ObjectKey(view.certificate.key.namespace, stored.name))
            digest = public_key_digest(key)
        if request.identity is None or digest != request.identity.public_key:
            raise Retry(f"the private key of CertificateRequest {request.key} was replaced")
        return key

    async def delete(self, secret: SecretFacts) -> None:
        """Take a temporary Secret away; no other of that name."""
        key = ObjectKey(secret.metadata.namespace, secret.name)
        with contextlib.suppress(NotFound, Conflict):
            await self._cluster.client.delete(SECRET, key, uid=secret.metadata.uid)
        self._cluster.caches.secrets.forget(key, secret.metadata.uid)

    async def _generate(self, spec: KeySpec) -> PrivateKey:
        if spec.algorithm is not KeyAlgorithm.RSA:
            return generate(spec)
        return await asyncio.get_running_loop().run_in_executor(self._pool, generate, spec)


def unused_secret_name(certificate: str) -> str:
    """What the temporary Secret would be called if the key did not stay in this process."""
    letters = string.ascii_lowercase + string.digits[:6]
    end = "".join(letters[octet % len(letters)] for octet in secrets.token_bytes(_RANDOM))
    return f"{certificate}-"[:_LONGEST_START] + end


def _temporary_secret(view: CertificateView, key: PrivateKey) -> JSONObject:
    pem = encode_private_key(key, KeyEncoding.PKCS8)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "generateName": f"{view.certificate.key.name}-",
            "namespace": view.certificate.key.namespace,
            "labels": {Label.NEXT_PRIVATE_KEY: "true", Label.FILTERED: "true"},
            "ownerReferences": [to_json(owner_reference(view.certificate))],
        },
        "type": "Opaque",
        "data": {TLS_KEY: base64.b64encode(pem).decode()},
    }
