"""The ways to sign in to Vault: each becomes one request, or is a token already."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from certwright.api.issuer_types import (
    VaultAppRole,
    VaultAWS,
    VaultClientCertificate,
    VaultIssuer,
    VaultKubernetes,
)
from certwright.cluster.cluster import Cluster
from certwright.issuers.vault.connection import ClientPair, read_pair
from certwright.issuers.vault.options import VaultOptions
from certwright.issuers.vault.secrets import IssuerSecrets
from certwright.issuers.vault.tokens import request_token
from certwright.issuers.vault.unready import Unready
from certwright.kube.wire.keys import ObjectKey
from certwright.rest import SecretText, Transport
from certwright.rest.aws.identity import (
    DEFAULT_REGION,
    FORM,
    STS_VERSION,
    NoIdentity,
    Sts,
    WebIdentity,
    ambient,
    assume_role,
    sts_host,
)
from certwright.rest.aws.signature import AwsKeys, AwsRequest, Scope, sign
from certwright.rules.hub import HubIssuer

DEFAULT_KEY = "token"
AWS_AUDIENCE = "sts.amazonaws.com"
SERVER_ID = "X-Vault-AWS-IAM-Server-ID"


class Login(Struct, frozen=True, kw_only=True):
    """One login: where to, with what, and the client certificate to show for it."""

    path: str
    body: Mapping[str, str | SecretText]
    pair: ClientPair | None = None

    @property
    def secrets(self) -> tuple[SecretText, ...]:
        """What no message may hold."""
        return tuple(value for value in self.body.values() if isinstance(value, SecretText))


class Logins:
    """Prepares what an issuer's `auth` asks for."""

    def __init__(self, cluster: Cluster, transport: Transport, options: VaultOptions) -> None:
        self._cluster = cluster
        self._transport = transport
        self._options = options

    async def prepare(self, issuer: HubIssuer, vault: VaultIssuer, secrets: IssuerSecrets) -> Login | SecretText:
        """The login to make, or the token that the issuer holds; Unready where something for it is absent."""
        auth = vault.auth
        if auth.token_secret_ref is not None:
            return await secrets.text(auth.token_secret_ref, DEFAULT_KEY)
        if auth.app_role is not None:
            return await _app_role(auth.app_role, secrets)
        if auth.client_certificate is not None:
            return await _client_certificate(auth.client_certificate, secrets)
        if auth.kubernetes is not None:
            return await self._kubernetes(auth.kubernetes, issuer, secrets)
        assert auth.aws is not None, "the spec was checked"
        return await self._aws(auth.aws, secrets)

    async def _kubernetes(self, method: VaultKubernetes, issuer: HubIssuer, secrets: IssuerSecrets) -> Login:
        if method.service_account_ref is not None:
            account = ObjectKey(secrets.namespace, method.service_account_ref.name)
            jwt = await request_token(self._cluster.client, account, audiences(issuer, method))
        else:
            assert method.secret_ref is not None, "the spec was checked"
            jwt = await secrets.text(method.secret_ref, DEFAULT_KEY)
        return Login(path=f"{method.mount_path or '/v1/auth/kubernetes'}/login", body={"role": method.role, "jwt": jwt})

    async def _aws(self, method: VaultAWS, secrets: IssuerSecrets) -> Login:
        region = method.region or DEFAULT_REGION
        sts = Sts(transport=self._transport, region=region, ca_bundle=self._options.trusted_ca_pem)
        try:
            keys = await self._aws_keys(method, sts, secrets.namespace)
        except NoIdentity as error:
            raise Unready(f"Failed to initialize Vault client: {error}") from error
        body = self._caller_identity(method, region, keys)
        return Login(path=f"{method.mount_path or '/v1/auth/aws'}/login", body={"role": method.role, **body})

    async def _aws_keys(self, method: VaultAWS, sts: Sts, namespace: str) -> AwsKeys:
        account = method.service_account_ref
        if account is None:
            return await ambient(sts, self._options.environment)
        wanted = account.audiences or (AWS_AUDIENCE,)
        token = await request_token(self._cluster.client, ObjectKey(namespace, account.name), wanted)
        return await assume_role(sts, WebIdentity(role_arn=method.iam_role_arn, token=token))

    def _caller_identity(self, method: VaultAWS, region: str, keys: AwsKeys) -> dict[str, str | SecretText]:
        """A signed request for sts:GetCallerIdentity, which Vault sends to learn who we are."""
        # Vault sends it to the global endpoint unless told otherwise, which is in us-east-1.
        host = AWS_AUDIENCE if region == DEFAULT_REGION else sts_host(region)
        content = f"Action=GetCallerIdentity&Version={STS_VERSION}".encode()
        headers = {"Content-Type": FORM}
        if method.vault_header_value:
            headers[SERVER_ID] = method.vault_header_value
        request = AwsRequest(method="POST", host=host, headers=headers, body=content)
        signed = sign(request, keys, Scope(region, "sts"), self._cluster.clock.now())
        plain = {name: value.reveal() if isinstance(value, SecretText) else value for name, value in signed.items()}
        return {
            "iam_http_request_method": "POST",
            "iam_request_url": _base64(f"https://{host}/".encode()),
            "iam_request_body": _base64(content),
            "iam_request_headers": SecretText(_base64(msgspec.json.encode(plain))),
        }


def audiences(issuer: HubIssuer, method: VaultKubernetes) -> tuple[str, ...]:
    """For whom a token of the service account is: this issuer, this Vault, and who is named besides."""
    assert issuer.spec.vault is not None
    assert method.service_account_ref is not None
    own = "/".join(part for part in (issuer.key.namespace, issuer.key.name) if part)
    wanted = (f"vault://{own}", issuer.spec.vault.server, *method.service_account_ref.audiences)
    return tuple(dict.fromkeys(wanted))


async def _app_role(method: VaultAppRole, secrets: IssuerSecrets) -> Login:
    secret_id = await secrets.text(method.secret_ref, method.secret_ref.key)
    body: dict[str, str | SecretText] = {"role_id": method.role_id.strip(), "secret_id": secret_id}
    return Login(path=f"auth/{method.path or 'approle'}/login", body=body)


async def _client_certificate(method: VaultClientCertificate, secrets: IssuerSecrets) -> Login:
    pair = await read_pair(secrets, method.secret_name) if method.secret_name else None
    body: dict[str, str | SecretText] = {"name": method.name} if method.name else {}
    return Login(path=f"{method.mount_path or '/v1/auth/cert'}/login", body=body, pair=pair)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
