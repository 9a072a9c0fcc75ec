"""AWS's Security Token Service for tests: it checks signatures and web identity tokens, and answers in STS's XML."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import parse_qs

from aiohttp import web

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/vault-login"
ASSUMED_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/vault-login/certwright"
IDENTITY_BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
XML = {"Content-Type": "text/xml"}  # Vault takes no other, not even with a charset
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/sts/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class NotSigned(Exception):
    """The signature is not one, or not by credentials of this account."""


@dataclass(frozen=True)
class Keys:
    """Credentials that this account has given out."""

    access_key_id: str = "ASIATESTKEY"
    secret_access_key: str = "secret/access/key"
    session_token: str = "session+token=="


def require_signature(headers: Mapping[str, str], body: bytes, keys: Keys) -> str:
    """The region that a POST to / is signed for; NotSigned where it is not signed with these credentials.

    Written from the guide to signature version 4, without a look at our signer.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    match = _AUTHORIZATION.fullmatch(sent.get("authorization", ""))
    if match is None or match["key"] != keys.access_key_id:
        raise NotSigned("no signature of known credentials")
    if sent.get("x-amz-security-token", "") != keys.session_token:
        raise NotSigned("the session token is missing")
    names = match["names"].split(";")
    needed = {"host", "x-amz-date"} | {name for name in sent if name.startswith("x-vault-")}
    if names != sorted(names) or not needed <= set(names):
        raise NotSigned(f"the headers {sorted(needed - set(names))} are not signed")
    lines = [f"{name}:{sent[name].strip()}" for name in names]
    canonical = ["POST", "/", "", *lines, "", match["names"], hashlib.sha256(body).hexdigest()]
    scope = f"{match['day']}/{match['region']}/sts/aws4_request"
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    key = b"AWS4" + keys.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{sent['x-amz-date']}\n{scope}\n{digest}"
    if hmac.new(key, text.encode(), hashlib.sha256).hexdigest() != match["signature"]:
        raise NotSigned("The request signature we calculated does not match the signature you provided.")
    return match["region"]


@dataclass
class Sts:
    """One endpoint on a free port of 127.0.0.1; with `tls` it speaks HTTPS."""

    tls: ssl.SSLContext | None = None
    keys: Keys = Keys()
    accepts: Callable[[str], bool] = bool
    """Whether a web identity token is one of the account's provider."""
    identities: list[str] = field(default_factory=list)
    """The regions that GetCallerIdentity was signed for."""
    tokens: list[str] = field(default_factory=list)
    """The web identity tokens that came."""
    port: int = 0

    async def __aenter__(self) -> Sts:
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        # Vault asks for //, and AWS signs paths in their normal form.
        if request.method != "POST" or request.path.strip("/") or form.get("Version") != "2011-06-15":
            return _failed(400, "InvalidAction", "Could not find operation")
        match form.get("Action"):
            case "GetCallerIdentity":
                return self._identity(request, body)
            case "AssumeRoleWithWebIdentity":
                return self._assume(form)
            case _:
                return _failed(400, "InvalidAction", "Could not find operation")

    def _identity(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        try:
            self.identities.append(require_signature(request.headers, body, self.keys))
        except NotSigned as fault:
            return _failed(403, "SignatureDoesNotMatch", str(fault))
        found = f"<Arn>{ASSUMED_ARN}</Arn><UserId>AROATEST:certwright</UserId><Account>{ACCOUNT}</Account>"
        return _answer("GetCallerIdentity", found)

    def _assume(self, form: Mapping[str, str]) -> web.StreamResponse:
        token = form.get("WebIdentityToken", "")
        self.tokens.append(token)
        if form.get("RoleArn") != ROLE_ARN or not self.accepts(token):
            return _failed(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        keys = self.keys
        found = (
            f"<Credentials><AccessKeyId>{keys.access_key_id}</AccessKeyId>"
            f"<SecretAccessKey>{keys.secret_access_key}</SecretAccessKey>"
            f"<SessionToken>{keys.session_token}</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>"
        )
        return _answer("AssumeRoleWithWebIdentity", found)


def _answer(action: str, content: str) -> web.Response:
    text = f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"
    return web.Response(body=text.encode(), headers=XML)


def _failed(status: int, code: str, message: str) -> web.Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return web.Response(status=status, body=f"<ErrorResponse>{error}</ErrorResponse>".encode(), headers=XML)
