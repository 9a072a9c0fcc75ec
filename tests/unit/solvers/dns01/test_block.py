"""From the block that a user writes to a provider."""

from __future__ import annotations

import pytest

from certwright.api import acme_dns01 as api
from certwright.api.meta import SecretKeySelector
from certwright.errors import Blocked
from certwright.rest import SecretText
from certwright.solvers.dns01.block import provider_block
from certwright.solvers.dns01.registry import SecretRef, settings
from certwright.solvers.dns01.zones import CnameStrategy

REF = SecretKeySelector(name="credentials", key="token")
CLOUDFLARE = api.Cloudflare(email="a@b.c", api_key_secret_ref=REF)


def test_a_block_is_a_provider_with_settings_and_secrets() -> None:
    dns01 = api.DNS01(cloudflare=CLOUDFLARE, nameservers=("10.0.0.53:53",), cname_strategy="Follow")

    block = provider_block(dns01)

    assert (block.provider, block.cname_strategy) == ("cloudflare", CnameStrategy.FOLLOW)
    assert block.nameservers == ("10.0.0.53:53",)
    assert block.secret_refs == [SecretRef("apiKey", "credentials", "token")]
    secrets = {"apiKey": SecretText(" value\n")}
    assert settings(block.settings, secrets) == {"email": "a@b.c", "apiKey": SecretText("value")}


def test_the_tsig_secret_keeps_half_of_its_name() -> None:
    rfc2136 = api.RFC2136(nameserver="10.0.0.53", tsig_key_name="k", tsig_secret_secret_ref=REF, protocol="TCP")

    block = provider_block(api.DNS01(rfc2136=rfc2136))

    assert block.secret_refs == [SecretRef("tsigSecret", "credentials", "token")]
    assert settings(block.settings, {}) == {"nameserver": "10.0.0.53", "tsigKeyName": "k", "protocol": "TCP"}


def test_a_built_in_provider_by_the_webhook_block() -> None:
    config = {"email": "a@b.c", "apiKeySecretRef": {"name": "credentials", "key": "token"}}
    webhook = api.Webhook(group_name="dns01.certwright.io", solver_name="cloudflare", config=config)

    block = provider_block(api.DNS01(webhook=webhook))

    assert block.provider == "cloudflare"
    assert block.secret_refs == [SecretRef("apiKey", "credentials", "token")]


@pytest.mark.parametrize(
    ("written", "default", "strategy"),
    [
        (None, CnameStrategy.NONE, CnameStrategy.NONE),
        (None, CnameStrategy.ONE_HOP, CnameStrategy.ONE_HOP),
        ("None", CnameStrategy.ONE_HOP, CnameStrategy.NONE),
        ("Follow", CnameStrategy.ONE_HOP, CnameStrategy.FOLLOW),
    ],
)
def test_what_is_written_wins_over_the_default(
    written: api.CnameStrategy | None, default: CnameStrategy, strategy: CnameStrategy
) -> None:
    dns01 = api.DNS01(cloudflare=CLOUDFLARE, cname_strategy=written)

    assert provider_block(dns01, default).cname_strategy is strategy


@pytest.mark.parametrize(
    ("dns01", "said"),
    [
        (api.DNS01(), "exactly one provider and it names none"),
        (api.DNS01(cloudflare=CLOUDFLARE, rfc2136=api.RFC2136(nameserver="a")), "names cloudflare, rfc2136"),
        (api.DNS01(digitalocean=api.DigitalOcean(token_secret_ref=REF)), "choose one of cloudflare, rfc2136"),
        (api.DNS01(webhook=api.Webhook(group_name="acme.corp", solver_name="x")), "acme.corp/x is an outside solver"),
        (
            api.DNS01(webhook=api.Webhook(group_name="dns01.certwright.io", solver_name="nobody")),
            "'nobody' is not built in",
        ),
        (
            api.DNS01(webhook=api.Webhook(group_name="dns01.certwright.io", solver_name="rfc2136", config=[1])),
            "must be an object",
        ),
    ],
)
def test_what_can_never_work_blocks(dns01: api.DNS01, said: str) -> None:
    with pytest.raises(Blocked, match=said) as told:
        provider_block(dns01)

    assert told.value.reason == "InvalidSolver"
