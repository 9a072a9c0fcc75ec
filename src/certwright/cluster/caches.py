"""The shared caches: one a kind, each holding only what passes ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from sys import intern
from typing import Any

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST, CHALLENGE, CLUSTER_ISSUER, ISSUER, ORDER
from certwright.api.meta import ApiStruct, ObjectMeta, ObjectReference
from certwright.api.resource import kind_of
from certwright.api.wellknown import Label
from certwright.clock import Clock
from certwright.cluster.facts import TARGET_SECRET, all_secret_facts, lean_certificate, request_facts
from certwright.cluster.issuers import key_of
from certwright.cluster.settings import Settings
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.runtime.cache import Cache, each
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.facts import RequestFacts, SecretFacts, controller_of
from certwright.rules.hub import IssuerKey

BY_OWNER = "owner"
"""CertificateRequests, Orders, Challenges and temporary Secrets under the uid of the object that controls them."""
BY_ISSUER = "issuer"
"""Certificates, and CertificateRequests that are not answered, under `issuer_value` of the issuer that they name."""
BY_SECRET = "secret"  # noqa: S105  the name of an index
"""Certificates under `namespace/name` of their target, open CertificateRequests under that of their private key."""
BY_PASSWORD = "password"  # noqa: S105  the name of an index
"""Certificates under `namespace/name` of the Secrets with passwords of their key stores."""

OURS = f"{Label.FILTERED}=true"
FOREIGN = f"{Label.FILTERED}!=true"


class ForeignSecret(ApiStruct, frozen=True, kw_only=True):
    """A Secret that is not marked as ours: its metadata alone."""

    metadata: ObjectMeta


FOREIGN_SECRET = kind_of(SECRET.resource, ForeignSecret)


class Caches(Struct, kw_only=True):
    """Built by `app`. `foreign_secrets` keeps the resource version alone, of Secrets that are not marked as ours.

    `secrets` holds the Secrets with the label `controller.cert-manager.io/fao`: targets and temporary keys.
    """

    certificates: Cache[cm.Certificate]
    requests: Cache[RequestFacts]
    issuers: Cache[cm.Issuer]
    cluster_issuers: Cache[cm.ClusterIssuer]
    orders: Cache[acme.Order]
    challenges: Cache[acme.Challenge]
    secrets: Cache[SecretFacts]
    foreign_secrets: Cache[str]
    namespaced_only: bool = False
    """ClusterIssuers are not served, and must not be asked for: we may not be allowed to see them."""

    async def synced(self) -> None:
        """Return once every cache of the modern groups has its first list."""
        await asyncio.gather(*(cache.synced() for cache in self._watched().values()))

    def secret_version(self, namespace: str, name: str) -> str | None:
        """The resource version of a Secret, ours or not; None where there is none."""
        key = ObjectKey(namespace, name)
        found = self.secrets.get(key)
        return self.foreign_secrets.get(key) if found is None else found.metadata.resource_version

    async def run(self) -> None:
        """Keep all of them up to date until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, cache in self._watched().items():
                group.create_task(cache.run(), name=f"cache {name}")

    def _watched(self) -> dict[str, Cache[Any]]:
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name != "namespaced_only"}
        if self.namespaced_only:
            del found["cluster_issuers"]
        return found


def build_caches(client: KubeClient, clock: Clock, settings: Settings) -> Caches:
    """The caches of one cluster, with their indexes; nothing is read before `run`."""
    here = settings.namespace
    ours, foreign = Selection(here, labels=OURS), Selection(here, labels=FOREIGN)
    all_of = Selection(here)
    by_target = {BY_SECRET: _target, BY_ISSUER: _issuer_of_certificate, BY_PASSWORD: _passwords}
    by_request = {BY_OWNER: _owner_of_request, BY_ISSUER: _issuer_of_request, BY_SECRET: _key_of_request}
    return Caches(
        certificates=Cache(
            client, CERTIFICATE, each(lean_certificate), clock=clock, selection=all_of, indexes=by_target
        ),
        requests=Cache(
            client, CERTIFICATE_REQUEST, each(request_facts), clock=clock, selection=all_of, indexes=by_request
        ),
        issuers=Cache(client, ISSUER, each(_whole_issuer), clock=clock, selection=all_of),
        cluster_issuers=Cache(client, CLUSTER_ISSUER, each(_whole_cluster_issuer), clock=clock),
        orders=Cache(
            client, ORDER, each(_whole_order), clock=clock, selection=all_of, indexes={BY_OWNER: _owner_of_order}
        ),
        challenges=Cache(
            client,
            CHALLENGE,
            each(_whole_challenge),
            clock=clock,
            selection=all_of,
            indexes={BY_OWNER: _owner_of_challenge},
        ),
        secrets=Cache(
            client, TARGET_SECRET, all_secret_facts, clock=clock, selection=ours, indexes={BY_OWNER: _owner_of_secret}
        ),
        foreign_secrets=Cache(
            client, FOREIGN_SECRET, each(_version), clock=clock, selection=foreign, metadata_only=True
        ),
        namespaced_only=bool(here),
    )


def issuer_value(key: IssuerKey) -> str:
    """What an issuer is found under in the index `BY_ISSUER`."""
    return intern(f"{key.dialect.value}/{key.kind}/{key.namespace}/{key.name}")


def secret_value(namespace: str, name: str) -> str:
    """What a Secret is found under in the indexes `BY_SECRET` and `BY_PASSWORD`."""
    return f"{namespace}/{name}"


def password_secrets(spec: cm.CertificateSpec) -> tuple[str, ...]:
    """The names of the Secrets with the passwords of key stores that are to be made."""
    stores = (spec.keystores.jks, spec.keystores.pkcs12) if spec.keystores else ()
    references = [store.password_secret_ref for store in stores if store is not None and store.create]
    return tuple(dict.fromkeys(reference.name for reference in references if reference is not None))


def _whole_issuer(found: cm.Issuer) -> cm.Issuer:
    return found


def _whole_cluster_issuer(found: cm.ClusterIssuer) -> cm.ClusterIssuer:
    return found


def _whole_order(found: acme.Order) -> acme.Order:
    return found


def _whole_challenge(found: acme.Challenge) -> acme.Challenge:
    return found


def _version(found: ForeignSecret) -> str:
    return found.metadata.resource_version


def _target(found: cm.Certificate) -> Iterable[str]:
    return (secret_value(found.metadata.namespace, found.spec.secret_name),)


def _passwords(found: cm.Certificate) -> Iterable[str]:
    return (secret_value(found.metadata.namespace, name) for name in password_secrets(found.spec))


def _issuer_of_certificate(found: cm.Certificate) -> Iterable[str]:
    return _issuer(found.spec.issuer_ref, found.metadata.namespace)


def _issuer_of_request(found: RequestFacts) -> Iterable[str]:
    return () if found.is_answered else _issuer(found.spec.issuer_ref, found.metadata.namespace)


def _issuer(ref: ObjectReference, namespace: str) -> Iterable[str]:
    key = key_of(ref, namespace)
    return () if key is None else (issuer_value(key),)


def _key_of_request(found: RequestFacts) -> Iterable[str]:
    if found.is_answered or not found.key_secret_name:
        return ()
    return (secret_value(found.metadata.namespace, found.key_secret_name),)


def _owner_of_request(found: RequestFacts) -> Iterable[str]:
    return _owner(found.metadata)


def _owner_of_order(found: acme.Order) -> Iterable[str]:
    return _owner(found.metadata)


def _owner_of_challenge(found: acme.Challenge) -> Iterable[str]:
    return _owner(found.metadata)


def _owner_of_secret(found: SecretFacts) -> Iterable[str]:
    return _owner(found.metadata) if found.is_next_key else ()


def _owner(metadata: ObjectMeta) -> Iterable[str]:
    owner = controller_of(metadata)
    return () if owner is None else (owner.uid,)
