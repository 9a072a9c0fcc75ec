"""Pebble, the ACME CA for tests, as a real process, with pebble-challtestsrv as the DNS that it asks."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector, web
from tests.kubernetes.authority import Authority
from tests.kubernetes.processes import Process, free_ports
from tools import test_tools

# Of one hop, not of the message: RFC 9110 7.6.1, and what aiohttp sets anew.
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive", "date", "server"}


@dataclass(frozen=True)
class PebbleOptions:
    """How this CA behaves."""

    dns_server: str = ""
    """`host:port` of the DNS that it asks; empty starts pebble-challtestsrv."""
    http_port: int = 5002
    """Where it connects for HTTP-01."""
    bad_nonces: int = 5
    """Percentage of requests refused with badNonce."""
    authorizations_reused: int = 0
    """Percentage of authorizations that a later order finds valid already."""
    chain_length: int = 1
    """Intermediates between the leaf and the root."""
    alternate_roots: int = 0
    life: timedelta = timedelta(days=90)
    short_life: timedelta = timedelta(days=6)
    """Of the profile `shortlived`."""
    external_accounts: Mapping[str, str] = field(default_factory=dict)
    """Key ids with MAC keys (base64url): where given, a new account must be bound to one of them."""
    retry_after: timedelta = timedelta(seconds=1)
    blocked: tuple[str, ...] = ("blocked-domain.example",)
    skip_validation: bool = False


class Pebble:
    """One CA on free ports of 127.0.0.1; `ca` is the file to trust it by."""

    def __init__(self, folder: Path, options: PebbleOptions | None = None) -> None:
        self._folder = folder
        self._options = options or PebbleOptions()
        self._authority = Authority.new(folder, "Pebble TLS")
        self._port, self._management_port = free_ports(2)
        self._processes: list[Process] = []
        self.ca = self._authority.certificate
        self.dns = DnsStandIn()
        self.address = f"https://127.0.0.1:{self._port}"
        self.directory = f"{self.address}/dir"

    def start(self) -> None:
        """Return when the directory is served; raises StartFailed, or ToolMissing where Pebble cannot be had."""
        programs = test_tools.build("pebble")
        try:
            if not self._options.dns_server:
                self._processes.append(self.dns.start(programs, self._folder))
            self._start_pebble(programs)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it (and its DNS) and wait until it is gone."""
        while self._processes:
            self._processes.pop().stop()

    def trust(self) -> ssl.SSLContext:
        """TLS that believes this CA's own HTTPS server."""
        return ssl.create_default_context(cafile=self.ca)

    def root(self, number: int = 0) -> bytes:
        """The root of issued certificates in PEM; from 1 on the alternate ones."""
        url = f"https://127.0.0.1:{self._management_port}/roots/{number}"
        with urllib.request.urlopen(url, context=self.trust(), timeout=10) as answer:
            return bytes(answer.read())

    def suggest(self, certificate: bytes, answer: str) -> None:
        """From now on it says that, whatever it is, when it is asked for renewal information of the PEM certificate."""
        body = json.dumps({"Certificate": certificate.decode(), "ARIResponse": answer}).encode()
        url = f"https://127.0.0.1:{self._management_port}/set-renewal-info/"
        request = urllib.request.Request(url, body)
        with urllib.request.urlopen(request, context=self.trust(), timeout=10):  # noqa: S310 the scheme is ours
            pass

    def log(self) -> str:
        """What it has said so far."""
        return (self._folder / "pebble.log").read_text()

    def _start_pebble(self, programs: Path) -> None:
        config = self._folder / "pebble.json"
        config.write_text(json.dumps({"pebble": self._config()}))
        dns = self._options.dns_server or self.dns.address
        command = [str(programs / "pebble"), "-strict", f"-config={config}", f"-dnsserver={dns}"]
        pebble = Process("pebble", command, self._folder / "pebble.log", {**os.environ, **self._environment()})
        self._processes.append(pebble)
        pebble.wait_until(self._answers)

    def _config(self) -> dict[str, Any]:
        serving = self._authority.server("pebble", ["localhost", "127.0.0.1"])
        options = self._options
        seconds = max(1, int(options.retry_after.total_seconds()))
        return {
            "listenAddress": f"127.0.0.1:{self._port}",
            "managementListenAddress": f"127.0.0.1:{self._management_port}",
            "certificate": str(serving.certificate),
            "privateKey": str(serving.key),
            "httpPort": options.http_port,
            "tlsPort": 5001,
            "externalAccountBindingRequired": bool(options.external_accounts),
            "externalAccountMACKeys": dict(options.external_accounts),
            "domainBlocklist": list(options.blocked),
            "retryAfter": {"authz": seconds, "order": seconds},
            "keyAlgorithm": "ecdsa",
            "profiles": {
                "default": _profile("The usual certificate", options.life),
                "shortlived": _profile("A certificate for days", options.short_life),
            },
        }

    def _environment(self) -> dict[str, str]:
        options = self._options
        return {
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_VA_ALWAYS_VALID": "1" if options.skip_validation else "0",
            "PEBBLE_WFE_NONCEREJECT": str(options.bad_nonces),
            "PEBBLE_AUTHZREUSE": str(options.authorizations_reused),
            "PEBBLE_CHAIN_LENGTH": str(options.chain_length),
            "PEBBLE_ALTERNATE_ROOTS": str(options.alternate_roots),
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.directory, context=self.trust(), timeout=5):  # noqa: S310 the scheme is ours
                return True
        except (urllib.error.URLError, OSError):
            return False


def _profile(description: str, life: timedelta) -> dict[str, Any]:
    return {"description": description, "validityPeriod": int(life.total_seconds())}


class DnsStandIn:
    """pebble-challtestsrv: a DNS server whose records a test sets; every other name is 127.0.0.1."""

    def __init__(self) -> None:
        dns, management = free_ports(2)
        self.address = f"127.0.0.1:{dns}"
        self._management = f"http://127.0.0.1:{management}"

    def start(self, programs: Path, folder: Path) -> Process:
        """The process, once it takes orders."""
        listeners = [f"-{name}=" for name in ("http01", "https01", "doh", "tlsalpn01")]
        management = self._management.removeprefix("http://")
        command = [
            str(programs / "pebble-challtestsrv"),
            *listeners,
            f"-dnsserver={self.address}",
            f"-management={management}",
            "-defaultIPv6=",
        ]
        process = Process("pebble-challtestsrv", command, folder / "challtestsrv.log")
        process.wait_until(self._answers)
        return process

    def order(self, path: str, **body: Any) -> None:
        """Any order of its management API, e.g. `order("add-a", host="x.", addresses=["127.0.0.2"])`."""
        request = urllib.request.Request(f"{self._management}/{path}", json.dumps(body).encode())  # noqa: S310 the scheme is ours
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 the scheme is ours
            pass

    def set_txt(self, name: str, value: str) -> None:
        """Add a TXT record; the name ends in a dot."""
        self.order("set-txt", host=name, value=value)

    def clear_txt(self, name: str) -> None:
        """Remove all TXT records of that name."""
        self.order("clear-txt", host=name)

    def set_cname(self, name: str, target: str) -> None:
        """Make one name an alias; both end in a dot."""
        self.order("set-cname", host=name, target=target)

    def _answers(self) -> bool:
        try:
            self.order("clear-txt", host="ready.")
        except (urllib.error.URLError, OSError):
            return False
        return True


class AcmeFront:
    """HTTPS under the name of a public CA: `/directory` is Pebble's, and the Host header is kept, as URLs follow it.

    A client reaches it by resolving the CA's name to 127.0.0.1 at `port`, and trusts it by `ca`.
    """

    def __init__(self, folder: Path, pebble: Pebble, host: str = "acme-staging-v02.api.letsencrypt.org") -> None:
        authority = Authority.new(folder, "ACME front TLS")
        serving = authority.server("front", [host, "localhost", "127.0.0.1"])
        self.ca = authority.certificate
        self.host = host
        self.port = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(serving.certificate, serving.key)
        self._pebble = pebble
        self._session: ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._session = ClientSession(connector=TCPConnector(ssl=self._pebble.trust()), auto_decompress=False)
        self._runner = web.ServerRunner(web.Server(self._pass_on, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close everything."""
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _pass_on(self, request: web.BaseRequest) -> web.Response:
        assert self._session is not None
        path = "/dir" if request.path == "/directory" else request.path_qs
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        body = await request.read()
        async with self._session.request(
            request.method, self._pebble.address + path, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            content = await answer.read()
            passed = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP]
            response = web.Response(status=answer.status, body=content)
            response.headers.extend(passed)
            return response
