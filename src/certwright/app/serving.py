"""The small HTTP servers of a process: /metrics, and /livez and /healthz for the kubelet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from aiohttp import web

from certwright.clock import Clock

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

LONGEST_SKEW = timedelta(minutes=5)
Check = Callable[[], str]
"""Empty where all is well, else a sentence."""


class ServeError(Exception):
    """An address cannot be listened on; the message is a sentence with a next step."""


def split_address(address: str) -> tuple[str, int]:
    """Host (empty: every address) and port of `host:port`; ServeError where it is none."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise ServeError(f"{address!r} is no address to listen on; write host:port, such as 0.0.0.0:9402")
    return host.strip("[]"), int(port)


async def start_listening(address: str, start: Callable[[], Awaitable[None]]) -> None:
    """Call `start`; where the address cannot be had, ServeError says why and what to do."""
    try:
        await start()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ServeError(
            f"{address} cannot be listened on: {why}. Stop what uses it, or give another address or port."
        ) from error


class Endpoint:
    """One address with a few pages."""

    def __init__(self, address: str, pages: Mapping[str, Callable[[], web.Response]]) -> None:
        self._address = address
        self._pages = pages
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen; an empty address or port 0 without a host (`0`) switches the endpoint off."""
        if self._address in {"", "0"}:
            return
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), handle_signals=False)
        await self._runner.setup()
        host, port = split_address(self._address)
        try:
            await start_listening(self._address, web.TCPSite(self._runner, host or None, port).start)
        except BaseException:
            await self.stop()
            raise
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the socket; a second stop does nothing."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        return page() if page else web.Response(status=404, text="404 page not found\n")


def metrics_page(collect: Callable[[], Iterable[Metric]] = tuple) -> Callable[[], web.Response]:
    """What is collected, and figures of the process, in the text format of Prometheus."""

    def page() -> web.Response:
        from prometheus_client import ProcessCollector

        from certwright.telemetry.exposition import CONTENT_TYPE, exposition

        metrics = chain(ProcessCollector(registry=None).collect(), collect())
        return web.Response(body=b"".join(exposition(metrics)), headers={"Content-Type": CONTENT_TYPE})

    return page


def health_page(checks: Mapping[str, Check], name: str = "livez") -> Callable[[], web.Response]:
    """200 while every check holds, else 500 with the failing ones by name."""

    def page() -> web.Response:
        failing = {what: problem for what, check in checks.items() if (problem := check())}
        lines = [f"[{'-' if what in failing else '+'}]{what} {failing.get(what, 'ok')}" for what in checks]
        verdict = f"{name} check {'failed' if failing else 'passed'}"
        return web.Response(status=500 if failing else 200, text="\n".join((*lines, verdict)) + "\n")

    return page


class ClockHealth:
    """Notices a wall clock that has drifted from the monotonic one since the start, as after a suspend."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started, self._monotonic = clock.now(), clock.monotonic()

    def __call__(self) -> str:
        passed = timedelta(seconds=self._clock.monotonic() - self._monotonic)
        skew = abs(self._clock.now() - self._started - passed)
        return f"the wall clock is {skew} away from where it should be" if skew > LONGEST_SKEW else ""
