"""One request, after the door: what it is about, who sent it, with which options; and its answer."""

from __future__ import annotations

from msgspec import Struct

from certwright.apiserver.caller import Caller
from certwright.apiserver.definition import Definition
from certwright.apiserver.storage.history import Stored
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey


class Options(Struct, frozen=True, kw_only=True):
    """The query parameters that writes share."""

    dry_run: bool = False
    manager: str = ""
    field_validation: str = "Warn"
    force: bool = False


class Call(Struct, frozen=True, kw_only=True):
    """A request for one resource."""

    definition: Definition
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    caller: Caller
    agent: str = ""
    options: Options = Options()
    warnings: list[str]
    """Texts for `Warning:` headers; the verbs add to it."""
    is_patch: bool = False
    doubled: list[str]
    """Members that the JSON body gives twice."""

    @property
    def key(self) -> ObjectKey:
        """The object asked for."""
        return ObjectKey(self.namespace, self.name)

    @property
    def manager(self) -> str:
        """Who owns the fields that this request writes."""
        return self.options.manager or self.agent.partition("/")[0][:128] or "unknown"


class Answer(Struct, frozen=True):
    """The object that a verb leaves, in the stored version."""

    stored: Stored
    code: int = 200
    is_gone: bool = False
    """The object was removed by this request."""


class DeleteOptions(Struct, frozen=True, kw_only=True):
    """How to delete."""

    propagation: str = ""
    uid: str = ""
    revision: str = ""
    dry_run: bool = False


def as_options(call: Call, kind: str) -> JSONObject:
    """The options of a write, as an AdmissionReview shows them."""
    shown: JSONObject = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
    if call.options.manager:
        shown["fieldManager"] = call.options.manager
    if call.options.dry_run:
        shown["dryRun"] = ["All"]
    return shown
