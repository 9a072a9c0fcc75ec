"""The server: built from its options, started, stopped."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from certwright.apiserver.admission.policies.policies import Policies
from certwright.apiserver.admission.review import Hooks
from certwright.apiserver.admission.webhooks import Webhooks
from certwright.apiserver.auth.authenticate import Authenticator, read_token_file
from certwright.apiserver.auth.credentials import Credentials, load_credentials, write_kubeconfig
from certwright.apiserver.auth.rights import AllRights, Rights, RoleRights
from certwright.apiserver.auth.tokens import Account, Bound, TokenKeeper
from certwright.apiserver.http.discovery import Discovery
from certwright.apiserver.http.door import Door
from certwright.apiserver.http.openapi_pages import OpenApiPages
from certwright.apiserver.http.pages import Pages, TokenPages
from certwright.apiserver.http.resources import Resources
from certwright.apiserver.http.reviews import Reviews
from certwright.apiserver.http.watching import Watches
from certwright.apiserver.kinds.catalog import built_in_definitions
from certwright.apiserver.lifecycle.definitions import Definitions
from certwright.apiserver.lifecycle.garbage import Garbage
from certwright.apiserver.lifecycle.namespaces import Namespaces
from certwright.apiserver.lifecycle.old_events import OldEvents
from certwright.apiserver.lifecycle.roles import Roles
from certwright.apiserver.options import ApiServerOptions, StartError
from certwright.apiserver.served import Served
from certwright.apiserver.storage.database import Database
from certwright.apiserver.storage.store import Store
from certwright.apiserver.verbs.api import Api
from certwright.clock import Clock
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import PODS, SECRETS, SERVICEACCOUNTS

__all__ = ["ApiServer", "ApiServerOptions", "StartError"]

# The letters of generated names: no vowels, so that no words arise.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
# A stopping server waits this long for requests that run.
_GRACE = timedelta(seconds=3)
_QUEUE = 256


class ApiServer:
    """A Kubernetes-compatible API server in this process."""

    def __init__(self, options: ApiServerOptions, clock: Clock, hooks: Hooks | None = None) -> None:
        self._options = options
        self._clock = clock
        self._hooks = hooks or Hooks()
        self._watches = Watches()
        self._runner: web.ServerRunner | None = None
        self._database: Database | None = None
        self._webhooks: Webhooks | None = None
        self._lives: list[Definitions | Namespaces | Garbage | OldEvents | Roles] = []
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self.url = ""
        """Where the server listens on TCP; '' before the start, or where it does not."""
        self.kubeconfig_path = options.kubeconfig or options.data_dir / "kubeconfig"

    @property
    def counts(self) -> Counter[tuple[str, str, str]]:
        """Requests so far by (user agent, verb, resource[/subresource])."""
        return self._counts

    async def start(self) -> None:
        """Open the data folder and listen; every reason against it is a StartError."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        self._database = Database(self._options.data_dir, self._options.durability)
        store = Store(self._database)
        served = Served(built_in_definitions())
        rights = RoleRights(store) if self._options.authorization_mode == "RBAC" else AllRights()
        policies, self._webhooks = Policies(store, served, rights), Webhooks(store, served)
        api = Api(
            store=store,
            served=served,
            clock=self._clock,
            hooks=Hooks(
                (*self._hooks.mutate, policies.mutate, self._webhooks.mutate),
                (*self._hooks.validate, policies.validate, self._webhooks.validate),
            ),
            new_uid=lambda: str(uuid.uuid4()),
            new_suffix=lambda: "".join(secrets.choice(_LETTERS) for _ in range(5)),
        )
        credentials = load_credentials(self._options.data_dir, self._names(), self._clock.now())
        namespaces = Namespaces(api, credentials.authority.cert_pem.decode())
        self._lives = [Definitions(api), namespaces, Garbage(api), OldEvents(api), Roles(api)]
        pages = await self._listen(api, credentials, rights)
        for life in self._lives:
            life.start()
        if self.url:
            write_kubeconfig(self.kubeconfig_path, credentials.kubeconfig(self.url))
        pages.is_ready = True

    def _names(self) -> Sequence[str]:
        host = self._options.host
        return (*self._options.extra_names, *(() if host in {"0.0.0.0", "::"} else (host,)))  # noqa: S104 - compared, not bound

    async def _listen(self, api: Api, credentials: Credentials, rights: Rights) -> Pages:
        tokens = TokenKeeper(credentials.token_key, self._clock.now, lambda account, bound: _lives(api, account, bound))
        authenticator = Authenticator(read_token_file(self._options.token_file), tokens)
        pages = Pages(Discovery(api.served), OpenApiPages(api.served), TokenPages(tokens.issuer, tokens.keys))
        resources = Resources(api, self._watches)
        door = Door(authenticator, rights, pages, resources, Reviews(api, authenticator, tokens, rights))
        self._counts = door.counts
        server = web.Server(door, access_log=None, keepalive_timeout=300)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=_GRACE.total_seconds())
        await self._runner.setup()
        await self._listen_tcp(self._runner, credentials)
        await self._listen_unix(self._runner)
        return pages

    async def _listen_tcp(self, runner: web.ServerRunner, credentials: Credentials) -> None:
        if self._options.port is None:
            return
        host, port = self._options.host, self._options.port
        site = web.TCPSite(runner, host, port, ssl_context=credentials.server_context(), backlog=_QUEUE)
        try:
            await site.start()
        except OSError as error:
            why = error.strerror or str(error)
            raise StartError(
                f"{host}:{port} cannot be listened on: {why}. Stop what uses it, or choose another port."
            ) from error
        bound: int = runner.addresses[0][1]
        shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound
        self.url = f"https://[{shown}]:{bound}" if ":" in shown else f"https://{shown}:{bound}"

    async def _listen_unix(self, runner: web.ServerRunner) -> None:
        path = self._options.socket
        if path is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_stale(path)
            # Nobody else may connect, from the first moment on.
            mask = os.umask(0o177)
            try:
                await web.UnixSite(runner, path, backlog=_QUEUE).start()
            finally:
                os.umask(mask)
        except OSError as error:
            why = error.strerror or str(error)
            raise StartError(
                f"The socket {path} cannot be listened on: {why}. Name a shorter or writable path."
            ) from error

    async def stop(self) -> None:
        """End all watches and requests, and close the data folder; a second stop does nothing."""
        self._watches.end_all()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None
        await asyncio.gather(*(life.worker.stop() for life in self._lives))
        self._lives = []
        if self._webhooks:
            await self._webhooks.close()
            self._webhooks = None
        if self._database:
            self._database.close()
            self._database = None


def _remove_stale(path: Path) -> None:
    """A socket that a killed server left; the lock of the data folder says that nobody listens there any more."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()


def _lives(api: Api, account: Account, bound: Bound | None) -> bool:
    found = api.store.get(SERVICEACCOUNTS.qualified, ObjectKey(account.namespace, account.name))
    if found is None or found.uid != account.uid:
        return False
    if bound is None:
        return True
    resource = PODS if bound.kind == "Pod" else SECRETS
    held = api.store.get(resource.qualified, ObjectKey(account.namespace, bound.name))
    return held is not None and held.uid == bound.uid
