"""The `dns01` block of a solver as one provider, its settings and how names are followed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from certwright.api.acme_dns01 import DNS01, Webhook
from certwright.api.meta import to_json
from certwright.api.wellknown import BUILT_IN_DNS01_GROUP
from certwright.errors import Blocked
from certwright.solvers.dns01.registry import SecretRef, Settings, providers, secret_refs
from certwright.solvers.dns01.zones import CnameStrategy

AROUND_THE_PROVIDER = {"cnameStrategy", "nameservers"}


class ProviderBlock(Struct, frozen=True, kw_only=True):
    """One provider under the key that users write, and its settings with selectors in the place of secrets."""

    provider: str
    settings: Settings
    cname_strategy: CnameStrategy = CnameStrategy.NONE
    nameservers: tuple[str, ...] = ()

    @property
    def secret_refs(self) -> list[SecretRef]:
        """The Secrets that must be read before a provider can be opened; `field` is their key in `secrets`."""
        return secret_refs(self.settings)


def provider_block(dns01: DNS01, default_strategy: CnameStrategy = CnameStrategy.NONE) -> ProviderBlock:
    """The provider that the block names; Blocked (`InvalidSolver`) where it names none, several or an unknown one.

    `default_strategy` holds where the block says nothing: v1alpha1 followed one CNAME.
    """
    provider, settings = _built_in(dns01.webhook) if dns01.webhook else _only_block(dns01)
    if provider not in providers():
        known = ", ".join(sorted(providers()))
        raise Blocked("InvalidSolver", f"DNS-01 provider {provider!r} is not built in; choose one of {known}")
    strategy = CnameStrategy(dns01.cname_strategy) if dns01.cname_strategy else default_strategy
    return ProviderBlock(
        provider=provider, settings=settings, cname_strategy=strategy, nameservers=tuple(dns01.nameservers)
    )


def _only_block(dns01: DNS01) -> tuple[str, Settings]:
    found = {name: value for name, value in to_json(dns01).items() if name not in AROUND_THE_PROVIDER}
    if len(found) != 1:
        said = f"it names {', '.join(sorted(found))}" if found else "it names none"
        raise Blocked("InvalidSolver", f"a dns01 solver has exactly one provider and {said}; correct the issuer")
    [(provider, settings)] = found.items()
    return provider, settings if isinstance(settings, Mapping) else {}


def _built_in(webhook: Webhook) -> tuple[str, Settings]:
    if webhook.group_name != BUILT_IN_DNS01_GROUP:
        raise Blocked(
            "InvalidSolver",
            f"DNS-01 webhook {webhook.group_name}/{webhook.solver_name} is an outside solver, which this version does "
            f"not call; use a provider of group {BUILT_IN_DNS01_GROUP}",
        )
    if webhook.config is not None and not isinstance(webhook.config, Mapping):
        raise Blocked("InvalidSolver", "the config of a dns01 webhook must be an object; correct the issuer's solver")
    return webhook.solver_name, webhook.config or {}
