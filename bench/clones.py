"""Copies of one issued Certificate, each with names, a key and a certificate of its own, straight into a storage."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from bench.driver import NAMESPACE
from certwright.api import certmanager_v1 as cm
from certwright.api.core import Secret
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST
from certwright.api.meta import JSONObject, from_json
from certwright.api.resource import Resource
from certwright.apiserver.storage.database import Database
from certwright.apiserver.storage.store import Store
from certwright.kube.client.client import KubeClient
from certwright.pki import pem
from certwright.pki.certificate import parse_certificate
from certwright.pki.csr import build_request, parse_request
from certwright.pki.issuance import Signer, Terms, sign, signer_from
from certwright.pki.keys import KeyAlgorithm, KeySpec, encode_private_key, generate, parse_private_key
from certwright.rules.request_content import request_content

SEED = "seed"
_KEY = KeySpec(KeyAlgorithm.ECDSA, 256)
Object = tuple[Resource, JSONObject]
A_TRANSACTION = 100
"""Objects; etcd takes 128 operations and 1.5 MiB in one."""


def into_store(folder: Path, objects: Iterable[Object]) -> None:
    """Write into the storage of an embedded server that is stopped."""
    database = Database(folder)
    try:
        store = Store(database)
        for resource, obj in objects:
            store.create(resource.qualified, obj)
    finally:
        database.close()


def into_etcd(address: str, objects: Iterable[Object]) -> None:
    """Write through etcd's JSON gateway, as the API server lays objects out; it learns of them by its watches."""
    waiting = iter(objects)
    while chunk := list(islice(waiting, A_TRANSACTION)):
        puts = [{"requestPut": {"key": _key(resource, obj), "value": _value(obj)}} for resource, obj in chunk]
        body = msgspec.json.encode({"success": puts})
        with urllib.request.urlopen(f"{address}/v3/kv/txn", body, timeout=60) as answer:  # noqa: S310 the scheme is ours
            assert msgspec.json.decode(answer.read())["succeeded"]


def _key(resource: Resource, obj: JSONObject) -> str:
    metadata = obj["metadata"]
    assert isinstance(metadata, dict)
    group = f"{resource.group}/" if resource.group else ""
    return _text(f"/registry/{group}{resource.plural}/{metadata['namespace']}/{metadata['name']}".encode())


def _value(obj: JSONObject) -> str:
    return _text(msgspec.json.encode(obj))


def foreign(count: int) -> Iterator[Object]:
    """So many Secrets of others, of 2 KB each."""
    return ((SECRET.resource, _foreign(number)) for number in range(count))


async def seed_of(client: KubeClient) -> Seed:
    """The issued Certificate of that name, as it is on a server."""
    names = ((CERTIFICATE.resource, SEED), (CERTIFICATE_REQUEST.resource, f"{SEED}-1"), (SECRET.resource, SEED))
    found = {resource: await _found(client, resource, name) for resource, name in names}
    return Seed(found, from_json(Secret, await _found(client, SECRET.resource, "root")))


class Seed:
    """A Certificate with its request and Secret, as JSON text in which the copies differ in few places."""

    def __init__(self, objects: dict[Resource, JSONObject], root: Secret) -> None:
        self._objects = objects
        self._spec = from_json(cm.Certificate, objects[CERTIFICATE.resource]).spec
        secret = from_json(Secret, objects[SECRET.resource])
        request = from_json(cm.CertificateRequest, objects[CERTIFICATE_REQUEST.resource])
        self._material = (request.spec.request, secret.data["tls.crt"], secret.data["tls.key"])
        self._now = parse_certificate(secret.data["tls.crt"]).not_before
        self._signer = _signer(root)

    def copies(self, count: int) -> Iterator[Object]:
        """The three objects of each of so many Certificates."""
        for number in range(count):
            yield from self.copy(number)

    def copy(self, number: int) -> list[Object]:
        """The three objects of one Certificate."""
        name = f"c-{number:06}"
        changes = [(f"{SEED}.bench.test", f"{name}.bench.test")]
        changes.append((f'certificate-name":"{SEED}"', f'certificate-name":"{name}"'))
        changes += [(_text(old), _text(new)) for old, new in zip(self._material, self._issued(name), strict=True)]
        return [(resource, _copied(obj, changes, (name, number))) for resource, obj in self._objects.items()]

    def _issued(self, name: str) -> tuple[bytes, bytes, bytes]:
        """Request, chain and key, as PEM."""
        host = f"{name}.bench.test"
        spec = msgspec.structs.replace(self._spec, common_name=host, dns_names=(host,))
        key = generate(_KEY)
        csr = build_request(request_content(spec), key)
        leaf = sign(parse_request(csr), self._signer, Terms(), self._now)
        return csr, pem.write_certificates([leaf]), encode_private_key(key)


async def _found(client: KubeClient, resource: Resource, name: str) -> JSONObject:
    found: JSONObject = msgspec.json.decode(await client.get_raw(resource.path(NAMESPACE, name)))
    metadata = found["metadata"]
    assert isinstance(metadata, dict)
    del metadata["resourceVersion"]  # storages give their own
    return found


def _signer(root: Secret) -> Signer:
    key = parse_private_key(root.data["tls.key"])
    return signer_from(pem.split_certificates(root.data["tls.crt"], "the root")[0], key)


def _copied(obj: JSONObject, changes: list[tuple[str, str]], who: tuple[str, int]) -> JSONObject:
    text = msgspec.json.encode(obj).decode()
    for old, new in changes:
        text = text.replace(old, new)
    copy: JSONObject = msgspec.json.decode(text)
    name, number = who
    metadata, spec = copy["metadata"], copy.get("spec")
    assert isinstance(metadata, dict)
    uid = f"00000000-0000-4000-8000-{number:012x}"
    match copy["kind"], spec:
        case "Certificate", dict():
            metadata |= {"name": name, "uid": uid}
            spec["secretName"] = name
        case "CertificateRequest", _:
            owner = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": name, "uid": uid}
            metadata["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
            metadata |= {"name": f"{name}-1", "uid": uid.replace("-4000-", "-4001-")}
        case _:
            metadata |= {"name": name, "uid": uid.replace("-4000-", "-4002-")}
    return copy


def _foreign(number: int) -> JSONObject:
    name = f"foreign-{number:06}"
    metadata: JSONObject = {"name": name, "namespace": NAMESPACE, "uid": name, "labels": {"app": f"a{number % 100}"}}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    data: JSONObject = {"value": "QUJD" * 500}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
