"""Temporary AWS credentials: for a token of a service account, or those that the process itself runs with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from certwright.rest.aws.signature import AwsKeys
from certwright.rest.client import RestClient, RestOptions, RestRequest
from certwright.rest.errors import RestError
from certwright.rest.secret_text import SecretText
from certwright.rest.transport import Transport

DEFAULT_REGION = "us-east-1"
STS_VERSION = "2011-06-15"
SESSION_NAME = "certwright"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
_METADATA = "http://169.254.169.254"
_CONTAINER = "http://169.254.170.2"
_METADATA_PATH = "latest/meta-data/iam/security-credentials/"
_LARGEST = 64 * 1024
_PATIENCE = timedelta(seconds=5)
_TAG = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Message)>([^<]*)</")


class NoIdentity(Exception):
    """There are no credentials; the text is a sentence with a next step."""


class Sts(Struct, frozen=True, kw_only=True):
    """How the Security Token Service is reached: `ca_bundle` is trusted besides the system's roots."""

    transport: Transport
    region: str = DEFAULT_REGION
    ca_bundle: bytes = b""


class WebIdentity(Struct, frozen=True, kw_only=True):
    """A token that AWS trusts the issuer of, and the role that is taken with it."""

    role_arn: str
    token: SecretText
    session_name: str = SESSION_NAME


def sts_host(region: str) -> str:
    """The regional endpoint."""
    return f"sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


async def assume_role(sts: Sts, identity: WebIdentity) -> AwsKeys:
    """The credentials of the role (AssumeRoleWithWebIdentity); NoIdentity where STS gives none."""
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": STS_VERSION,
        "RoleArn": identity.role_arn,
        "RoleSessionName": identity.session_name,
        "WebIdentityToken": identity.token.reveal(),
    }
    url = f"https://{sts_host(sts.region)}"
    options = RestOptions(base_url=url, secrets=(identity.token,), body_limit=_LARGEST, ca_bundle=sts.ca_bundle)
    request = RestRequest(method="POST", path="/", headers={"Content-Type": FORM}, body=urlencode(form).encode())
    try:
        answer = await RestClient(sts.transport, options).send(request)
    except RestError as error:
        said = _tags(error.body).get("Message", "")
        raise NoIdentity(f"AWS does not give the role {identity.role_arn}: {error.message} {said}".rstrip()) from error
    found = _tags(answer.body)
    if not all(found.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")):
        raise NoIdentity(f"{url} answered with no credentials; check spec.vault.auth.aws.region")
    return _keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


async def ambient(sts: Sts, environment: Mapping[str, str]) -> AwsKeys:
    """The credentials that the process runs with, in the order of AWS's own SDKs; NoIdentity where there are none."""
    if environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return _keys(*(environment.get(name, "") for name in names))
    if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environment.get("AWS_ROLE_ARN"):
        token = _text_of(environment["AWS_WEB_IDENTITY_TOKEN_FILE"])
        name = environment.get("AWS_ROLE_SESSION_NAME", SESSION_NAME)
        return await assume_role(sts, WebIdentity(role_arn=environment["AWS_ROLE_ARN"], token=token, session_name=name))
    try:
        return await _of_machine(sts.transport, environment)
    except RestError as error:
        raise NoIdentity(f"This process has no AWS identity: {error.message}; give its Pod a role") from error


class _Served(Struct, frozen=True, rename="pascal"):
    access_key_id: str
    secret_access_key: str
    token: str = ""


async def _of_machine(transport: Transport, environment: Mapping[str, str]) -> AwsKeys:
    """Those of the container, else those of the machine (IMDSv2)."""
    relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
    container = f"{_CONTAINER}{relative}" if relative else environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if container:
        file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
        token = _text_of(file) if file else SecretText(environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", ""))
        return await _fetch(_client(transport, container), container, {"Authorization": token} if token else {})
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise NoIdentity(
            "This process has no AWS identity, and may not ask the machine for its own; give its Pod a role"
        )
    client = _client(transport, environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _METADATA)
    life = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    answer = await client.send(RestRequest(method="PUT", path="latest/api/token", headers=life))
    headers = {"X-aws-ec2-metadata-token": SecretText(answer.body.decode("ascii", "replace"))}
    roles = await client.send(RestRequest(method="GET", path=_METADATA_PATH, headers=headers))
    role = roles.body.decode("ascii", "replace").partition("\n")[0].strip()
    return await _fetch(client, f"{_METADATA_PATH}{role}", headers)


def _client(transport: Transport, url: str) -> RestClient:
    parts = urlsplit(url)
    options = RestOptions(base_url=f"{parts.scheme}://{parts.netloc}", timeout=_PATIENCE, body_limit=_LARGEST)
    return RestClient(transport, options)


async def _fetch(client: RestClient, path: str, headers: Mapping[str, SecretText]) -> AwsKeys:
    found = (await client.send(RestRequest(method="GET", path=path, headers=headers))).json(_Served)
    return _keys(found.access_key_id, found.secret_access_key, found.token)


def _keys(access_key_id: str, secret_access_key: str, session_token: str) -> AwsKeys:
    return AwsKeys(
        access_key_id=access_key_id,
        secret_access_key=SecretText(secret_access_key),
        session_token=SecretText(session_token),
    )


def _tags(body: bytes) -> dict[str, str]:
    """The few texts that count in STS's XML; no XML parser is given what a stranger may have written."""
    return {name: unescape(value).strip() for name, value in _TAG.findall(body.decode(errors="replace"))}


def _text_of(file: str) -> SecretText:
    try:
        with Path(file).open("rb") as opened:
            return SecretText(opened.read(_LARGEST).decode("ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise NoIdentity(
            f"{file} cannot be read, where the AWS identity of this process should be; mount it"
        ) from error
