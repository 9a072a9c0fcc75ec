"""What the first lists leave behind is given back, and is not searched for garbage again and again."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def settle() -> None:
    """Call once the caches are filled: what they hold stays, and the room that reading it took is free."""
    gc.collect()
    gc.freeze()
    # Only glibc keeps freed pages in such an amount, and only glibc has this call.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
