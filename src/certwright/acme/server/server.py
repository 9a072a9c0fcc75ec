"""The CA as an HTTPS server."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from certwright.acme.protocol import jws
from certwright.acme.protocol.messages import Window
from certwright.acme.server.accounts import AccountDesk
from certwright.acme.server.answers import Answers
from certwright.acme.server.authority import open_ca, open_endpoint_authority
from certwright.acme.server.authorizations import AuthorizationDesk
from certwright.acme.server.calls import Call, Parts, Reply
from certwright.acme.server.certificates import CertificateDesk
from certwright.acme.server.door import Door
from certwright.acme.server.identifiers import is_address
from certwright.acme.server.mischief import Fault, Mischief
from certwright.acme.server.nonces import Nonces
from certwright.acme.server.options import AcmeServerOptions
from certwright.acme.server.orders import OrderDesk
from certwright.acme.server.refusals import malformed, rate_limited, refused
from certwright.acme.server.store import Store
from certwright.acme.server.validation import Validator
from certwright.acme.server.views import View
from certwright.clock import Clock
from certwright.pki.authority import AUTHORITY_LIFETIME, KeyPair, issue_server

LARGEST_REQUEST = 128 * 1024
LONGEST_SHUTDOWN = 2.0

Desk = Callable[[Call], Awaitable[Reply]]


class AcmeServer:
    """One CA: reached at `directory_url`, trusted by `endpoint_root_pem`, and what it issues by `root_pem`.

    A client that knows it by one of the host names connects to `address`: URLs in answers follow the Host header.
    """

    def __init__(self, options: AcmeServerOptions, clock: Clock, mischief: Mischief | None = None) -> None:
        self.mischief = mischief or Mischief()
        self._options = options
        self._store = Store(options.state_file)
        self._ca = open_ca(self._store, options.name, options.alternate_roots, clock.now())
        self._endpoint = open_endpoint_authority(self._store, options.name, clock.now())
        parts = Parts(options, clock, self._store, self.mischief)
        self._nonces = Nonces()
        self._door = Door(self._store, self._nonces)
        self._accounts = AccountDesk(parts)
        self._authorizations = AuthorizationDesk(parts, Validator(options.validation))
        self._orders = OrderDesk(parts, self._authorizations, self._ca)
        self._certificates = CertificateDesk(parts, self._ca)
        self._answers = Answers(self._nonces)
        self._serving = self._serving_pair(clock)
        self._runner: web.AppRunner | None = None
        self._port = options.port

    @property
    def address(self) -> str:
        """`host:port` where it listens, once started."""
        return (
            f"[{self._options.host}]:{self._port}"
            if ":" in self._options.host
            else f"{self._options.host}:{self._port}"
        )

    @property
    def directory_url(self) -> str:
        """The directory by the address it listens on, once started."""
        return f"https://{self.address}/directory"

    @property
    def root_pem(self) -> bytes:
        """The root of the default chain of what is issued."""
        return self._ca.root_pems[0]

    @property
    def root_pems(self) -> tuple[bytes, ...]:
        """The roots of all chains, the default one first."""
        return self._ca.root_pems

    @property
    def endpoint_root_pem(self) -> bytes:
        """The trust anchor of the HTTPS endpoint."""
        return self._endpoint.cert_pem

    async def start(self) -> None:
        """Listen; with port 0 a free one is found."""
        application = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[self._answers.middleware])
        application.add_routes(self._routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=LONGEST_SHUTDOWN)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._options.host, self._port, ssl_context=_tls(self._serving))
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self._authorizations.resume()

    async def stop(self) -> None:
        """Close the socket and the state file; what is stored is there for the next one."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._authorizations.stop()
        self._store.close()

    def advise_renewal(self, certificate_id: str, window: Window | None) -> None:
        """Suggest to renew that certificate (by its RFC 9773 name) in this window, or in the usual one again."""
        self._certificates.advise(certificate_id, window)

    def _routes(self) -> list[web.RouteDef]:
        desks: dict[str, Desk] = {
            "/new-account": self._accounts.new_account,
            "/account/{a}": self._accounts.account,
            "/account/{a}/orders": self._accounts.orders,
            "/key-change": self._accounts.key_change,
            "/new-order": self._orders.new_order,
            "/order/{a}": self._orders.order,
            "/finalize/{a}": self._orders.finalize,
            "/authorization/{a}": self._authorizations.authorization,
            "/challenge/{a}/{b}": self._authorizations.challenge,
            "/certificate/{a}": self._certificates.certificate,
            "/certificate/{a}/{b}": self._certificates.certificate,
            "/revoke-cert": self._certificates.revoke,
        }
        return [
            web.get("/directory", self._directory),
            web.get("/new-nonce", self._new_nonce),
            web.get("/renewal-info/{a}", self._renewal_info),
            *(web.post(path, self._signed(desk)) for path, desk in desks.items()),
        ]

    async def _directory(self, request: web.Request) -> web.Response:
        base = base_of(request)
        names = ["new-nonce", "new-account", "new-order", "revoke-cert", "key-change"]
        if self._options.orders.suggests_renewals:
            names.append("renewal-info")
        view: View = {_camel(name): f"{base}/{name}" for name in names}
        profiles = {name: profile.description for name, profile in self._options.orders.profiles.items()}
        meta: View = {"externalAccountRequired": self._options.accounts.external_account_required, "profiles": profiles}
        if self._options.accounts.terms_of_service:
            meta["termsOfService"] = self._options.accounts.terms_of_service
        return self._answers.response(Reply(view={**view, "meta": meta}), base)

    async def _new_nonce(self, request: web.Request) -> web.Response:
        status = HTTPStatus.OK if request.method == "HEAD" else HTTPStatus.NO_CONTENT
        return self._answers.response(Reply(status=status), base_of(request), nonce=True)

    async def _renewal_info(self, request: web.Request) -> web.Response:
        return self._answers.response(self._certificates.renewal_info(request.match_info["a"]), base_of(request))

    def _signed(self, desk: Desk) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            fault = self.mischief.draw(request.path.split("/")[1])
            self._fail_before(fault, request)
            reply = await desk(await self._admitted(request))
            if fault is Fault.DROPPED_AFTER:
                _drop(request)
            return self._answers.response(reply, base_of(request), nonce=True)

        return answer

    async def _admitted(self, request: web.Request) -> Call:
        if request.content_type != jws.CONTENT_TYPE:
            raise malformed(f"the content type must be {jws.CONTENT_TYPE}", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        base = base_of(request)
        url = base + request.path_qs
        account, jwk, payload = self._door.admit(await request.read(), url)
        words = tuple(request.match_info[name] for name in ("a", "b") if name in request.match_info)
        return Call(
            base=base,
            url=url,
            words=words,
            payload=payload,
            account=account,
            jwk=jwk,
            cursor=request.query.get("cursor", ""),
        )

    def _fail_before(self, fault: Fault | None, request: web.Request) -> None:
        match fault:
            case Fault.BAD_NONCE:
                raise refused("badNonce", "this nonce is refused out of mischief")
            case Fault.RATE_LIMITED:
                raise rate_limited("too many requests: ask again later", self.mischief.retry_after)
            case Fault.SERVER_ERROR:
                raise refused("serverInternal", "the CA fails out of mischief", HTTPStatus.INTERNAL_SERVER_ERROR)
            case Fault.DROPPED_BEFORE:
                _drop(request)
                raise refused("serverInternal", "nobody reads this", HTTPStatus.INTERNAL_SERVER_ERROR)

    def _serving_pair(self, clock: Clock) -> KeyPair:
        names = [*self._options.host_names, "localhost", self._options.host]
        addresses = [ip_address(name) for name in names if is_address(name)]
        # As long as the authority itself: a process may run for years without a restart.
        return issue_server(
            self._endpoint,
            list(dict.fromkeys(name for name in names if not is_address(name))),
            list(dict.fromkeys(addresses)),
            clock.now(),
            AUTHORITY_LIFETIME,
        )


def base_of(request: web.Request) -> str:
    """The scheme and authority by which the client knows us."""
    return f"https://{request.host}"


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _camel(name: str) -> str:
    first, second = name.split("-")
    return first + second.capitalize()


def _tls(pair: KeyPair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The library reads keys from files only.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "serving.pem"
        file.touch(mode=0o600)
        file.write_bytes(pair.cert_pem + pair.key_pem)
        context.load_cert_chain(file)
    return context
