"""CertificateRequests of issuances: made, and taken away where they lead nowhere."""

from __future__ import annotations

import contextlib

from certwright.api.kinds import CERTIFICATE_REQUEST
from certwright.cluster.cluster import Cluster
from certwright.controllers.certificate.gather import CertificateView
from certwright.errors import Retry
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, Conflict, NotFound
from certwright.pki.csr import build_request
from certwright.pki.keys import PrivateKey
from certwright.rules.facts import RequestFacts, controller_of
from certwright.rules.gates import BASIC_CONSTRAINTS
from certwright.rules.request_content import Asked, certificate_request, request_content, request_name

MANAGER = "cert-manager-certificates-request-manager"


class RequestManager:
    """Every CertificateRequest of a Certificate is made and deleted here."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def name_of_next(self, view: CertificateView) -> ObjectKey:
        """What the request of the next revision is called."""
        return ObjectKey(view.certificate.key.namespace, request_name(view.certificate, view.revision + 1))

    async def create(self, view: CertificateView, key: PrivateKey, key_secret_name: str) -> str:
        """Make the request of the next revision; its name."""
        settings = self._cluster.settings
        csr = build_request(request_content(view.spec, basic_constraints=BASIC_CONSTRAINTS in settings.gates), key)
        prefixes = settings.copied_annotation_prefixes
        asked = Asked(revision=view.revision + 1, key_secret_name=key_secret_name, copied_prefixes=prefixes)
        body = certificate_request(view.certificate, csr, asked)
        try:
            made = await self._cluster.client.create(CERTIFICATE_REQUEST, body, view.certificate.key.namespace, MANAGER)
        except AlreadyExists as error:
            raise await self._taken(view, error) from error
        self._cluster.caches.requests.remember(made)
        return made.metadata.name

    async def delete(self, request: RequestFacts) -> None:
        """Take a request away; no other of that name."""
        with contextlib.suppress(NotFound, Conflict):
            await self._cluster.client.delete(CERTIFICATE_REQUEST, request.key, uid=request.metadata.uid)
        self._cluster.pending.drop(request.key)
        self._cluster.caches.requests.forget(request.key, request.metadata.uid)

    async def _taken(self, view: CertificateView, error: AlreadyExists) -> Retry:
        """The name is in use: by a request of ours that the cache has not shown yet, or by a stranger's."""
        key = self.name_of_next(view)
        try:
            found = await self._cluster.client.get(CERTIFICATE_REQUEST, key)
        except NotFound:
            return Retry(f"CertificateRequest {key} is on its way out")
        owner = controller_of(found.metadata)
        if owner is not None and owner.uid == view.certificate.metadata.uid:
            self._cluster.caches.requests.remember(found)
            return Retry(f"CertificateRequest {key} is there already: {error}")
        return Retry(
            f"CertificateRequest {key} is there and belongs to something else; it has to go before this Certificate "
            "can be issued"
        )
