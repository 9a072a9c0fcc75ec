"""What a request asks for, in the words of authorization."""

from __future__ import annotations

from msgspec import Struct


class Asked(Struct, frozen=True):
    """A request for a resource: `verb` is one of the API's (`list`, `deletecollection`), not of HTTP."""

    verb: str
    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def resource(self) -> str:
        """Resource with subresource, as rules name it."""
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural
