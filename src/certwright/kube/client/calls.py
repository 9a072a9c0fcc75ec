"""One request to the API server, and the words and limits around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlencode

from msgspec import Struct

JSON_MEDIA = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
# Only metadata is sent; a server that cannot do so sends whole objects, which are read all the same.
METADATA_ONLY = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1,application/json;q=0.9"

MOST_OBJECT_BYTES = 8 * 1024 * 1024
MOST_LIST_BYTES = 64 * 1024 * 1024


class Call(Struct, frozen=True, kw_only=True):
    """`path` carries the query; `limit` bounds the body of the answer."""

    method: str
    path: str
    body: bytes | None = None
    media: str = ""
    accept: str = JSON_MEDIA
    limit: int = MOST_OBJECT_BYTES
    timeout: timedelta | None = None

    @property
    def what(self) -> str:
        """For messages: the method and the path without its query, which may be long."""
        return f"{self.method} {self.path.partition('?')[0]}"


def with_query(path: str, query: Mapping[str, str]) -> str:
    """The path with those parameters that have a value."""
    words = tuple((name, value) for name, value in query.items() if value)
    return f"{path}?{_encoded(words)}" if words else path


@lru_cache(256)
def _encoded(words: tuple[tuple[str, str], ...]) -> str:
    """Most queries are one of a few field managers; encoding them anew would be a tenth of the cost of a write."""
    return urlencode(words)


def accept_of(*, metadata_only: bool, is_list: bool) -> str:
    """The Accept header of a list, or of a watch, whose events hold single objects."""
    return METADATA_ONLY.format(list="List" if is_list else "") if metadata_only else JSON_MEDIA
