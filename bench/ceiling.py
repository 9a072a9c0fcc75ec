"""The bare loop: the writes of one issuance with its key, request and signature, and nothing else.

No controller can be faster on the same server, so its rate is the ceiling that others are compared with.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from bench.driver import CONNECTIONS, NAMESPACE, certificate
from certwright.api.core_kinds import EVENT, SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST
from certwright.api.meta import JSON, JSONObject
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.keys import ObjectKey
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.issuance import Signer, Terms, sign, signer_from
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, encode_private_key, generate, parse_private_key

T = TypeVar("T")
MANAGER = "bench-ceiling"
SPEC = KeySpec(KeyAlgorithm.ECDSA, 256)


async def bare_loop(client: KubeClient, clock: Clock, count: int) -> float:
    """Issuances a second, the Certificates created beforehand."""
    signer = await _signer(client)
    names = [f"bare-{number:05}" for number in range(count)]
    paused = [certificate(name, "ECDSA", issuer="nobody") for name in names]
    await _each(iter(paused), lambda body: client.create(CERTIFICATE, body, NAMESPACE))
    started = clock.monotonic()
    await _each(iter(names), lambda name: _issue(client, clock, signer, name))
    return count / (clock.monotonic() - started)


async def _each(queue: Iterator[T], work: Callable[[T], Awaitable[object]]) -> None:
    async def worker() -> None:
        for item in queue:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))


async def _signer(client: KubeClient) -> Signer:
    root = await client.get(SECRET, ObjectKey(NAMESPACE, "root"))
    key = parse_private_key(root.data["tls.key"])
    return signer_from(pem.split_certificates(root.data["tls.crt"], "the root")[0], key)


async def _issue(client: KubeClient, clock: Clock, signer: Signer, name: str) -> None:
    key = generate(SPEC)
    csr = build_request(RequestContent(names=AlternativeNames(dns_names=(f"{name}.bench.test",))), key)
    where = ObjectKey(NAMESPACE, f"{name}-1")
    await client.create(CERTIFICATE_REQUEST, _request(where.name, csr), NAMESPACE, MANAGER)
    leaf = sign(parse_request(csr), signer, Terms(lifetime=timedelta(days=90)), clock.now())
    chain = pem.write_certificates([leaf])
    status: JSONObject = {"certificate": _text(chain), "ca": _text(chain)}
    status["conditions"] = [_condition("Approved", clock), _condition("Ready", clock)]
    await client.merge_patch(CERTIFICATE_REQUEST, where, {"status": status}, subresource="status", manager=MANAGER)
    await client.apply(SECRET, ObjectKey(NAMESPACE, name), _secret(name, chain, key), manager=MANAGER)
    ready: JSONObject = {"conditions": [_condition("Ready", clock)], "revision": 1}
    await client.merge_patch(
        CERTIFICATE, ObjectKey(NAMESPACE, name), {"status": ready}, subresource="status", manager=MANAGER
    )
    await client.create(EVENT, _event(name, clock), NAMESPACE)


def _request(name: str, csr: bytes) -> JSONObject:
    spec: JSONObject = {"request": _text(csr), "issuerRef": {"name": "nobody", "kind": "Issuer"}}
    metadata: JSONObject = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest", "metadata": metadata, "spec": spec}


def _secret(name: str, chain: bytes, key: PrivateKey) -> JSONObject:
    data: JSONObject = {"tls.crt": _text(chain), "tls.key": _text(encode_private_key(key)), "ca.crt": _text(chain)}
    metadata: JSONObject = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "data": data}


def _event(name: str, clock: Clock) -> JSONObject:
    now = _now(clock)
    about: JSONObject = {"kind": "Certificate", "namespace": NAMESPACE, "name": name}
    metadata: JSONObject = {"generateName": f"{name}.", "namespace": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata,
        "involvedObject": about,
        "reason": "Issuing",
        "message": "The certificate has been successfully issued",
        "type": "Normal",
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": MANAGER},
    }


def _condition(kind: str, clock: Clock) -> JSON:
    return {"type": kind, "status": "True", "reason": "Bench", "message": "", "lastTransitionTime": _now(clock)}


def _now(clock: Clock) -> str:
    return f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
