"""Vault's HTTP API for tests, from its public reference: strict in headers, shapes and credentials, with bad days."""

from __future__ import annotations

import base64
import json
import ssl
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from tests.kubernetes.authority import Authority
from tests.servers.aws_sts import IDENTITY_BODY, Keys, NotSigned, require_signature
from tests.servers.vault_pki import Pki, names_of, read_ttl

SIGN_PATH = "pki/sign/web"
SIGN_FIELDS = {"common_name", "alt_names", "ip_sans", "uri_sans", "ttl", "csr", "exclude_cn_from_sans"}
DENIED = ["1 error occurred:\n\t* permission denied\n\n"]
UNKNOWN = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"
UNKNOWN_BEFORE_1_15 = "permission denied"
Body = dict[str, Any]  # JSON of a request


class Refused(Exception):
    """An answer with errors, as Vault gives them."""

    def __init__(self, status: int, *errors: str, **headers: str) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = errors
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Admission:
    """Who is let in, and how."""

    tokens: set[str] = field(default_factory=lambda: {"hvs.static"})
    app_role: tuple[str, str] = ("role-id", "secret-id")
    certificate_names: set[str] = field(default_factory=lambda: {"certwright"})
    kubernetes_role: str = "issuer"
    jwts: set[str] = field(default_factory=lambda: {"stored.jwt"})
    """Tokens that are taken besides those of service accounts."""
    audiences: set[str] = field(default_factory=set)
    """What a token of a service account must be for; empty lets none in."""
    aws: Keys = field(default_factory=Keys)
    aws_host: str = "sts.amazonaws.com"
    server_id: str = ""


@dataclass
class VaultApi:
    """One server on a free port of 127.0.0.1. `violations` are what a strict reader of the API finds wrong."""

    folder: Path
    namespace: str = ""
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    require_client: bool = False
    lease_seconds: int = 3600
    admission: Admission = field(default_factory=Admission)
    health: int = 200
    unknown: str = UNKNOWN
    """What is said of a token that is none."""
    may_sign: bool = True
    allowed: str = ".example.test"
    mischief: deque[Refused | int | str] = field(default_factory=deque)
    """What the next requests to sign meet: a refusal, a page of another server with that status, or `endless` bytes."""
    violations: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    signed: list[Body] = field(default_factory=list)
    jwts: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.pki = Pki()
        self.authority = Authority.new(self.folder, "Vault TLS")
        self._issued: set[str] = set()
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.1)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> bytes:
        """PEM to trust it by."""
        return self.authority.certificate.read_bytes()

    async def __aenter__(self) -> VaultApi:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authority.certificate)
        context.load_cert_chain(*self.authority.server("vault", self.names))
        context.verify_mode = ssl.CERT_REQUIRED if self.require_client else ssl.CERT_OPTIONAL
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def revoke_all(self) -> None:
        """No token that was given by a login is known any longer."""
        self._issued.clear()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except Refused as refusal:
            return web.json_response({"errors": list(refusal.errors)}, status=refusal.status, headers=refusal.headers)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    async def _answer(self, request: web.BaseRequest) -> Body | web.Response:
        path = request.path.removeprefix("/v1/")
        self._expect(path != request.path, f"{request.path} is not below /v1/")
        self._expect(request.headers.get("X-Vault-Request") == "true", "X-Vault-Request is not sent")
        namespace = request.headers.get("X-Vault-Namespace", "")
        self._expect(namespace or "X-Vault-Namespace" not in request.headers, "an empty namespace is sent")
        if (request.method, path) == ("GET", "sys/health"):
            self._expect(not namespace, "sys/health is asked in a namespace")
            return web.json_response({"sealed": self.health == 503}, status=self.health)
        if self.health in {501, 503}:
            raise Refused(503, "Vault is sealed")
        if namespace != self.namespace:
            raise Refused(403, *DENIED)
        body = await self._body(request)
        if request.method == "POST" and path.startswith("auth/") and path.endswith("/login"):
            return self._log_in(path.split("/")[1], body, request)
        self._require_token(request.headers.get("X-Vault-Token", ""))
        match (request.method, path):
            case ("GET", "auth/token/lookup-self"):
                return {"data": {"ttl": 0}}
            case ("POST", sign) if sign == SIGN_PATH:
                return self._sign(body)
        raise Refused(404)

    async def _body(self, request: web.BaseRequest) -> Body:
        content = await request.read()
        if request.method != "POST":
            self._expect(not content, f"{request.method} has a body")
            return {}
        self._expect(request.headers.get("Content-Type") == "application/json", "the body is not said to be JSON")
        body = json.loads(content)
        self._expect(all(isinstance(value, str) for value in body.values()), f"{set(body)} are not all text")
        return dict(body)

    def _require_token(self, token: str) -> None:
        if token not in self._issued | self.admission.tokens:
            raise Refused(403, self.unknown)

    def _log_in(self, mount: str, body: Body, request: web.BaseRequest) -> Body:
        self._expect("X-Vault-Token" not in request.headers, "a login carries a token")
        methods = {"approle": self._app_role, "kubernetes": self._kubernetes, "aws": self._aws}
        self.logins.append(mount)
        if mount == "cert":
            self._certificate(body, request)
        elif mount in methods:
            methods[mount](body)
        else:
            raise Refused(404, "no handler for route")
        token = f"hvs.{mount}-{len(self.logins)}"
        self._issued.add(token)
        return {"auth": {"client_token": token, "lease_duration": self.lease_seconds, "renewable": True}}

    def _app_role(self, body: Body) -> None:
        self._expect(set(body) == {"role_id", "secret_id"}, f"an AppRole login holds {set(body)}")
        if (body["role_id"], body["secret_id"]) != self.admission.app_role:
            raise Refused(400, "invalid role or secret ID", f"you sent {body['secret_id']}")

    def _certificate(self, body: Body, request: web.BaseRequest) -> None:
        self._expect(set(body) <= {"name"}, f"a certificate login holds {set(body)}")
        shown = request.transport.get_extra_info("peercert") if request.transport else None
        names = {value for rdn in (shown or {}).get("subject", ()) for key, value in rdn if key == "commonName"}
        if not names & self.admission.certificate_names:
            raise Refused(400, "invalid certificate or no client certificate supplied")

    def _kubernetes(self, body: Body) -> None:
        self._expect(set(body) == {"role", "jwt"}, f"a Kubernetes login holds {set(body)}")
        self.jwts.append(body["jwt"])
        if body["role"] != self.admission.kubernetes_role:
            raise Refused(400, f'invalid role name "{body["role"]}"')
        if body["jwt"] not in self.admission.jwts and not self.admission.audiences & set(claims(body["jwt"])["aud"]):
            raise Refused(403, "permission denied")

    def _aws(self, body: Body) -> None:
        parts = {"iam_http_request_method", "iam_request_url", "iam_request_body", "iam_request_headers"}
        self._expect(set(body) == {"role", *parts}, f"an AWS login holds {set(body)}")
        url, content, headers = (base64.b64decode(body[f"iam_request_{part}"]) for part in ("url", "body", "headers"))
        self._expect(url == f"https://{self.admission.aws_host}/".encode(), f"{url!r} is to be asked")
        self._expect(content == IDENTITY_BODY, f"{content!r} is to be sent")
        sent = json.loads(headers)
        self._expect(sent.get("Host") == self.admission.aws_host, "the host is not signed")
        if sent.get("X-Vault-AWS-IAM-Server-ID", "") != self.admission.server_id:
            raise Refused(400, "error validating X-Vault-AWS-IAM-Server-ID header")
        try:
            require_signature(sent, content, self.admission.aws)
        except NotSigned as fault:
            raise Refused(400, f"error making upstream request: {fault}") from fault

    def _sign(self, body: Body) -> Body | web.Response:
        if not self.may_sign:
            raise Refused(403, *DENIED)
        if self.mischief:
            return self._misbehave(self.mischief.popleft())
        self._expect(set(body) == SIGN_FIELDS, f"a request to sign holds {set(body)}")
        csr = x509.load_pem_x509_csr(body["csr"].encode())
        for name, value in {**names_of(csr), "exclude_cn_from_sans": "true"}.items():
            self._expect(body.get(name) == value, f"{name} is {body.get(name)!r} where the request has {value!r}")
        life = read_ttl(body["ttl"])
        if life is None:
            raise Refused(400, f'unable to parse ttl "{body["ttl"]}"')
        common_name = body["common_name"]
        if common_name and not common_name.endswith(self.allowed):
            raise Refused(400, f"common name {common_name} not allowed by this role")
        self.signed.append(body)
        chain = [self.pki.intermediate.pem, self.pki.root.pem]
        return {"data": {"certificate": self.pki.sign(csr, life), "issuing_ca": chain[0], "ca_chain": chain}}

    def _misbehave(self, how: Refused | int | str) -> web.Response:
        if isinstance(how, Refused):
            raise how
        if isinstance(how, int):
            return web.Response(status=how, text="<html>not Vault</html>", content_type="text/html")
        self._expect(how == "endless", f"{how} is no mischief")
        return web.Response(body=b"{" + b" " * 2 * 1024 * 1024)

    def _expect(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.violations.append(otherwise)


def claims(jwt: str) -> Body:
    """What a token says, its signature not checked."""
    part = jwt.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return dict(found)
