"""What a start leaves behind is given back, and is not searched for garbage again and again."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_USUAL = gc.get_threshold()
# Of collections of the middle generation; a whole one comes after some seven million objects more than are given up.
_SELDOM = 1000


@contextmanager
def loading() -> Iterator[None]:
    """While modules are imported, nothing is garbage: they stay. Looking for it takes a tenth of the time they need."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def filling() -> Iterator[None]:
    """While the caches are filled, nearly nothing that has stood for a while is garbage.

    Python would look through all of it each time that it has grown by a quarter, which stops everything else for as
    long: half a second with 100,000 Certificates. What is given up soon is collected as ever.
    """
    gc.set_threshold(_USUAL[0], _USUAL[1], _SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL)


def settle() -> None:
    """Call once the caches are filled: what they hold stays, and the room that reading it took is free."""
    gc.collect()
    gc.freeze()
    # Only glibc keeps freed pages in such an amount, and only glibc has this call.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
