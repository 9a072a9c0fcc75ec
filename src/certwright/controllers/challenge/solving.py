"""From a Challenge to the solver of its type, with the credentials that its issuer may use."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from certwright.api import acme_v1 as acme
from certwright.api.meta import OwnerReference
from certwright.api.wellknown import LEGACY_GROUP
from certwright.cluster.cluster import Cluster
from certwright.cluster.issuers import key_of
from certwright.errors import Blocked, Retry
from certwright.rest import SecretText
from certwright.rules.acme_orders import ACME_VERSION
from certwright.rules.hub import IssuerKey
from certwright.solvers.base import NotYet, Visibility
from certwright.solvers.dns01.block import ProviderBlock, provider_block
from certwright.solvers.dns01.solver import Dns01Challenge, Dns01Solver
from certwright.solvers.dns01.zones import CnameStrategy
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.solver import Http01Solver

PodMode = Literal["shared", "pod", "auto"]
"""Who answers HTTP-01: the shared responder, a Pod for each challenge, or first the one and then the other."""
# Proxies that only route to Pods, and default-deny policies, show within this time.
SHARING_PATIENCE = timedelta(seconds=60)


class CredentialsMissing(Retry):
    """A Secret that the solver needs is not there."""


class Solving:
    """Each call may be repeated; `Retry` and `Blocked` say what failed in a sentence for the status."""

    def __init__(self, cluster: Cluster, dns: Dns01Solver, http: Http01Solver, pods: PodMode = "shared") -> None:
        self._cluster = cluster
        self._dns = dns
        self._http = http
        self._pods = pods
        self._unshared: set[IssuerKey | None] = set()

    async def present(self, challenge: acme.Challenge) -> None:
        """The answer is put in place."""
        solver = challenge.spec.solver
        if solver.dns01 is not None:
            await self._dns.present(await self._with_secrets(challenge, _block(challenge)))
        else:
            await self._http.present(_over_http(challenge, in_pod=self._is_in_pod(challenge)))

    async def check(self, challenge: acme.Challenge) -> Visibility:
        """One look whether the CA would find the answer."""
        if challenge.spec.solver.dns01 is not None:
            return await self._dns.check(self._without_secrets(challenge, _block(challenge)))
        found = await self._http.check(_over_http(challenge, in_pod=self._is_in_pod(challenge)))
        if isinstance(found, NotYet):
            self._give_up_sharing(challenge)
        return found

    async def clean_up(self, challenge: acme.Challenge) -> None:
        """The answer is gone."""
        if challenge.spec.solver.dns01 is not None:
            await self._dns.clean_up(await self._with_secrets(challenge, _block(challenge)))
        else:
            # Whoever was asked to answer, maybe before a restart: both kinds of objects go.
            await self._http.clean_up(_over_http(challenge, in_pod=self._pods != "shared"))

    def _is_in_pod(self, challenge: acme.Challenge) -> bool:
        if self._pods == "auto":
            has_template = _over_http(challenge, in_pod=False).has_pod_template
            return has_template or _issuer_of(challenge) in self._unshared
        return self._pods == "pod"

    def _give_up_sharing(self, challenge: acme.Challenge) -> None:
        """From now on Pods answer for this issuer, where the shared responder has not been reached for too long."""
        since = challenge.status.presented_at
        if self._pods == "auto" and since is not None and self._cluster.clock.now() - since >= SHARING_PATIENCE:
            self._unshared.add(_issuer_of(challenge))

    def _without_secrets(self, challenge: acme.Challenge, block: ProviderBlock) -> Dns01Challenge:
        return Dns01Challenge(identifier=challenge.spec.dns_name, value=challenge.spec.key, block=block)

    async def _with_secrets(self, challenge: acme.Challenge, block: ProviderBlock) -> Dns01Challenge:
        settings, is_cluster_issuer = self._cluster.settings, challenge.spec.issuer_ref.kind == "ClusterIssuer"
        namespace = settings.cluster_resource_namespace if is_cluster_issuer else challenge.metadata.namespace
        secrets: dict[str, SecretText] = {}
        for ref in block.secret_refs:
            if ref.name:
                secrets[ref.field] = await self._secret(namespace, ref.name, ref.key)
        return Dns01Challenge(
            identifier=challenge.spec.dns_name,
            value=challenge.spec.key,
            block=block,
            secrets=secrets,
            ambient=settings.cluster_issuer_ambient_credentials
            if is_cluster_issuer
            else settings.issuer_ambient_credentials,
        )

    async def _secret(self, namespace: str, name: str, key: str) -> SecretText:
        value = await self._cluster.secrets.value(namespace, name, key)
        if value is None:
            raise CredentialsMissing(f"Secret {namespace}/{name} or its entry {key!r} is not there; create it")
        try:
            return SecretText(value.decode())
        except UnicodeDecodeError:
            raise Blocked(
                "InvalidSolver", f"The entry {key!r} of Secret {namespace}/{name} is no text; correct it"
            ) from None


def _block(challenge: acme.Challenge) -> ProviderBlock:
    dns01 = challenge.spec.solver.dns01
    assert dns01 is not None, "the solver is of the other type"
    is_legacy = challenge.spec.issuer_ref.group == LEGACY_GROUP
    return provider_block(dns01, CnameStrategy.ONE_HOP if is_legacy else CnameStrategy.NONE)


def _issuer_of(challenge: acme.Challenge) -> IssuerKey | None:
    return key_of(challenge.spec.issuer_ref, challenge.metadata.namespace)


def _over_http(challenge: acme.Challenge, *, in_pod: bool) -> Http01Challenge:
    http01, metadata = challenge.spec.solver.http01, challenge.metadata
    if http01 is None:
        raise Blocked("InvalidSolver", "The solver is neither http01 nor dns01; correct the issuer's solver")
    owner = OwnerReference(
        api_version=ACME_VERSION,
        kind="Challenge",
        name=metadata.name,
        uid=metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )
    return Http01Challenge(
        namespace=metadata.namespace,
        owner=owner,
        identifier=challenge.spec.dns_name,
        token=challenge.spec.token,
        key=challenge.spec.key,
        solver=http01,
        legacy=challenge.spec.issuer_ref.group == LEGACY_GROUP,
        in_pod=in_pod,
    )
