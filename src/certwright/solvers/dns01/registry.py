"""Which providers there are, and how the block that a user writes becomes one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from certwright.errors import Blocked
from certwright.rest import SecretText
from certwright.solvers.dns01.base import DnsProvider, Tools

REF_SUFFIX = "SecretRef"

Config = TypeVar("Config", bound=Struct)
Settings = Mapping[str, object]


class ProviderKind(Struct, frozen=True):
    """A kind of provider: how to open one, and how long resolvers may keep its records."""

    open: Callable[[Settings, Tools], DnsProvider]
    ttl: timedelta


class SecretRef(Struct, frozen=True):
    """A selector in a provider's block: the entry `key` of Secret `name` fills the setting `field`."""

    field: str
    name: str
    key: str


def providers() -> Mapping[str, ProviderKind]:
    """Every provider under the key that users write."""
    from certwright.solvers.dns01.providers import cloudflare, rfc2136

    return {
        "cloudflare": _kind("cloudflare", cloudflare.CloudflareConfig, cloudflare.Cloudflare, cloudflare.TTL),
        "rfc2136": _kind("rfc2136", rfc2136.Rfc2136Config, rfc2136.Rfc2136, rfc2136.TTL),
    }


def secret_refs(block: Settings) -> list[SecretRef]:
    """The Secrets that a block names: each `fooSecretRef: {name, key}` fills the setting `foo`."""
    return [
        SecretRef(field.removesuffix(REF_SUFFIX), str(value.get("name", "")), str(value.get("key", "")))
        for field, value in block.items()
        if field.endswith(REF_SUFFIX) and isinstance(value, Mapping)
    ]


def settings(block: Settings, secrets: Mapping[str, SecretText]) -> Settings:
    """The block with the values of its Secrets in the place of the selectors; values lose surrounding blanks."""
    plain = {field: value for field, value in block.items() if not field.endswith(REF_SUFFIX)}
    return {**plain, **{field: SecretText(value.reveal().strip()) for field, value in secrets.items()}}


def _kind(
    name: str, config: type[Config], provider: Callable[[Config, Tools], DnsProvider], ttl: timedelta
) -> ProviderKind:
    def open_provider(given: Settings, tools: Tools) -> DnsProvider:
        try:
            checked = msgspec.convert(given, config)
        except msgspec.ValidationError as error:
            raise Blocked("InvalidSolver", f"{name}: {error}; correct the issuer's solver") from error
        return provider(checked, tools)

    return ProviderKind(open_provider, ttl)
