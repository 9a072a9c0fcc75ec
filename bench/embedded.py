"""An embedded API server without controllers: `python -m bench.embedded FOLDER` serves until it is ended."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from certwright.apiserver.server import ApiServer, ApiServerOptions
from certwright.clock import SystemClock


async def serve(folder: Path) -> None:
    """The API server, until ended."""
    await ApiServer(ApiServerOptions(data_dir=folder), SystemClock()).start()
    print("serves", flush=True)  # noqa: T201 - who started it waits for this
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
