"""The embedded API server as a process, to be killed by tests: `serve.py <data folder> <port> [largest file]`."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import uvloop

from certwright.apiserver.server import ApiServer, ApiServerOptions, StartError
from certwright.clock import SystemClock


async def serve(folder: Path, port: int) -> None:
    """Serve until killed."""
    server = ApiServer(ApiServerOptions(data_dir=folder, port=port), SystemClock())
    await server.start()
    await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve; a StartError is the last line of the log."""
    folder, port, *largest = sys.argv[1:]
    if largest:
        # The kernel refuses to let a file grow beyond this, as a full disk would.
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest[0]), int(largest[0])))
    try:
        uvloop.run(serve(Path(folder), int(port)))
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
