"""What an ingress controller and the network of a cluster are to a CA, with every Pod and node on 127.0.0.1."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web
from tests.kubernetes.http import Http

Plain = dict[str, Any]  # JSON of an object


class IngressProxy:
    """Lets a request through where an Ingress of the namespace leads host and path to a Service with endpoints.

    Only their port is used: their addresses are no loopback ones, which EndpointSlices refuse.
    """

    def __init__(self, http: Http, namespace: str) -> None:
        self._http = http
        self._namespace = namespace
        self._onward: ClientSession | None = None
        self.is_open = False
        self.passed: set[str] = set()
        """Hosts whose requests came through."""
        self.port = 0

    @property
    def address(self) -> str:
        """`host:port`, once served."""
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Listens meanwhile; while not `is_open` nothing gets through."""
        runner = web.ServerRunner(web.Server(self._pass_on, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = int(runner.addresses[0][1])
        async with ClientSession() as self._onward:
            try:
                yield
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.BaseRequest) -> web.Response:
        host = (request.host or "").partition(":")[0]
        port = await self._leads_to(host, request.path) if self.is_open else None
        if port is None:
            return web.Response(status=404 if self.is_open else 503)
        assert self._onward is not None
        async with self._onward.get(f"http://127.0.0.1:{port}{request.path}", headers={"Host": host}) as answer:
            self.passed.add(host)
            return web.Response(status=answer.status, body=await answer.read())

    async def _leads_to(self, host: str, path: str) -> int | None:
        ingresses = await self._list("/apis/networking.k8s.io/v1", "ingresses")
        services = [
            each["backend"]["service"]["name"]
            for ingress in ingresses
            for rule in ingress["spec"].get("rules", [])
            for each in rule.get("http", {}).get("paths", [])
            if rule.get("host") == host and each["path"] == path and each["pathType"] == "Exact"
        ]
        found = [port for service in services for port in await self._ports(service)]
        return found[0] if found else None

    async def _ports(self, service: str) -> list[int]:
        if (await self._http.get(f"/api/v1/namespaces/{self._namespace}/services/{service}")).code != 200:
            return []
        slices = await self._list(
            "/apis/discovery.k8s.io/v1", "endpointslices", f"kubernetes.io/service-name={service}"
        )
        return [port["port"] for each in slices if each["endpoints"] for port in each["ports"]]

    async def _list(self, group: str, plural: str, labels: str = "") -> list[Plain]:
        path = f"{group}/namespaces/{self._namespace}/{plural}"
        found: list[Plain] = (await self._http.get(path, labelSelector=labels)).ok["items"]
        return found
