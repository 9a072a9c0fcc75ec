"""Credentials come from where AWS's own SDKs take them."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from tests.clock import MovableClock
from tests.kubernetes.authority import Authority
from tests.unit.rest.service import Answer, Service

from certwright.rest import Proxies, SecretText, Transport
from certwright.rest.aws.identity import NoIdentity, Sts, WebIdentity, ambient, assume_role
from certwright.rest.aws.signature import AwsKeys

KEYS = AwsKeys(access_key_id="ASIA1", secret_access_key=SecretText("key/1"), session_token=SecretText("token&1"))
GIVEN = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <SessionToken>token&amp;1</SessionToken> <SecretAccessKey>key/1</SecretAccessKey>
    <Expiration>2026-01-01T01:00:00Z</Expiration> <AccessKeyId>ASIA1</AccessKeyId>
  </Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""
DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
  <Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>
</ErrorResponse>"""
SERVED = {"Code": "Success", "AccessKeyId": "ASIA1", "SecretAccessKey": "key/1", "Token": "token&1"}
ROLE = WebIdentity(role_arn="arn:aws:iam::123456789012:role/vault", token=SecretText("jwt-of-the-account"))


@pytest.fixture
async def machine() -> AsyncIterator[Service]:
    """The metadata service of a machine or a container."""
    async with Service() as started:
        yield started


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[tuple[Service, Sts]]:
    """STS in eu-west-1."""
    authority = Authority.new(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server("sts", ["sts.eu-west-1.amazonaws.com"]))
    async with Service(context) as service:
        to_service = {"sts.eu-west-1.amazonaws.com:443": f"127.0.0.1:{service.port}"}
        async with Transport(MovableClock(), Proxies(), connect_to=to_service) as transport:
            yield service, Sts(transport=transport, region="eu-west-1", ca_bundle=authority.certificate.read_bytes())


@pytest.fixture
async def here() -> AsyncIterator[Sts]:
    """A process that asks its own machine."""
    async with Transport(MovableClock(), Proxies()) as transport:
        yield Sts(transport=transport)


async def test_a_token_is_exchanged_for_a_role(cloud: tuple[Service, Sts]) -> None:
    service, sts = cloud
    service.answer = _text(GIVEN)

    assert await assume_role(sts, ROLE) == KEYS
    asked = parse_qs(service.seen[0].body.decode())
    assert asked == {
        "Action": ["AssumeRoleWithWebIdentity"],
        "Version": ["2011-06-15"],
        "RoleArn": [ROLE.role_arn],
        "RoleSessionName": ["certwright"],
        "WebIdentityToken": ["jwt-of-the-account"],
    }


async def test_a_refusal_is_told_in_the_words_of_sts(cloud: tuple[Service, Sts]) -> None:
    service, sts = cloud
    service.answer = _text(DENIED, 403)

    with pytest.raises(NoIdentity, match="Not authorized to perform sts:AssumeRoleWithWebIdentity") as told:
        await assume_role(sts, ROLE)

    assert "jwt-of-the-account" not in str(told.value)


async def test_an_answer_without_credentials_is_none(cloud: tuple[Service, Sts]) -> None:
    service, sts = cloud
    service.answer = _text("<html></html>")

    with pytest.raises(NoIdentity, match="no credentials"):
        await assume_role(sts, ROLE)


async def test_keys_of_the_environment_come_first(here: Sts) -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "ASIA1",
        "AWS_SECRET_ACCESS_KEY": "key/1",
        "AWS_SESSION_TOKEN": "token&1",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/other",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    }

    assert await ambient(here, environment) == KEYS


async def test_a_mounted_token_is_exchanged(cloud: tuple[Service, Sts], tmp_path: Path) -> None:
    service, sts = cloud
    service.answer = _text(GIVEN)
    file = tmp_path / "token"
    file.write_text("jwt-of-the-controller\n")
    environment = {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/own",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_SESSION_NAME": "controller",
    }

    assert await ambient(sts, environment) == KEYS
    asked = parse_qs(service.seen[0].body.decode())
    assert (asked["RoleSessionName"], asked["WebIdentityToken"]) == (["controller"], ["jwt-of-the-controller"])


async def test_a_token_that_is_not_mounted_is_named(here: Sts, tmp_path: Path) -> None:
    environment = {"AWS_ROLE_ARN": "arn", "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "absent")}

    with pytest.raises(NoIdentity, match="absent cannot be read"):
        await ambient(here, environment)


async def test_a_container_is_asked_with_its_token(here: Sts, machine: Service, tmp_path: Path) -> None:
    machine.answer = _text(json.dumps(SERVED))
    file = tmp_path / "token"
    file.write_text("container-token")
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{machine.url}/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file),
    }

    assert await ambient(here, environment) == KEYS
    assert machine.seen[0].path == "/v1/credentials"
    assert machine.seen[0].headers["authorization"] == "container-token"


async def test_a_machine_is_asked_as_imds_v2_wants_it(here: Sts, machine: Service) -> None:
    machine.answer = _imds

    assert await ambient(here, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.url}) == KEYS
    assert [(seen.method, seen.path) for seen in machine.seen] == [
        ("PUT", "/latest/api/token"),
        ("GET", "/latest/meta-data/iam/security-credentials/"),
        ("GET", "/latest/meta-data/iam/security-credentials/node-role"),
    ]


async def test_a_machine_without_a_role_has_no_identity(here: Sts, machine: Service) -> None:
    machine.answer = _text("", 404)

    with pytest.raises(NoIdentity, match="no AWS identity"):
        await ambient(here, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.url})


async def test_a_machine_that_is_not_to_be_asked_is_not(here: Sts, machine: Service) -> None:
    environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.url, "AWS_EC2_METADATA_DISABLED": "true"}

    with pytest.raises(NoIdentity, match="may not ask the machine"):
        await ambient(here, environment)

    assert not machine.seen


def _text(text: str, status: int = 200) -> Answer:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


async def _imds(request: web.BaseRequest) -> web.StreamResponse:
    if request.method == "PUT":
        assert request.headers["X-aws-ec2-metadata-token-ttl-seconds"] == "300"
        return web.Response(text="machine-token")
    assert request.headers["X-aws-ec2-metadata-token"] == "machine-token"
    return web.Response(text="node-role" if request.path.endswith("/") else json.dumps(SERVED))
