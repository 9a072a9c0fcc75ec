"""What the product refuses in a spec, and how that compares with what cert-manager refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from msgspec import Struct
from tests.integration.specs import upstream
from tests.integration.specs.drawing import Drawn

from certwright.api import certmanager_v1 as cm
from certwright.api.crds import V1_KINDS, custom_resource_definition
from certwright.api.meta import JSONObject, MalformedObject, from_json
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.rules.validation import certificate_problems, request_problem

Plain = dict[str, Any]  # JSON of a spec

# The same fault, told at another field of those it lies in.
TOLD_AT = {
    "spec": {"spec.literalSubject"},
    "spec.commonName": {"spec.literalSubject"},
    "spec.subject": {"spec.literalSubject"},
    "spec.renewBefore": {"spec.renewBeforePercentage", "spec.duration"},
    "spec.renewal.windows.cron": {"spec.renewal.windows.timezone"},
    "spec.renewal.windows.timezone": {"spec.renewal.windows.cron"},
}
# What cert-manager lets in, and why we do not.
STRICTER = {
    "spec.dnsNames": "An empty name, or one that is not ASCII: cert-manager fails on that when it makes the request.",
    "spec.uris": "The same.",
    "spec.emailAddresses": "The same.",
    "spec.literalSubject": "A value in hex that is no string: readers give the whole certificate up.",
    "spec.otherNames.oid": "Numbers with signs, and OIDs that are longer than parsers read.",
    **{
        f"spec.nameConstraints.{side}.{kind}": "No range, or not ASCII: cert-manager fails when it issues."
        for side in ("permitted", "excluded")
        for kind in ("dnsDomains", "emailAddresses", "ipRanges", "uriDomains")
    },
    "spec.keystores.pkcs12.password": "NUL, which ends the password in most readers.",
    "spec.renewal.windows.cron": "A date that never comes, so that the window never opens.",
    "spec.renewal.windows.windowDuration": "A window that is open for no time at all.",
}


# Names so many and so long that no certificate with them is read; told at the largest field.
TOO_LARGE = "All names together"


class Refusal(Struct, frozen=True):
    """The path of a field and the sentence about it."""

    path: str
    message: str

    @property
    def place(self) -> str:
        """The path without indexes and keys."""
        return place(self.path)


def place(path: str) -> str:
    """A path without indexes and keys."""
    return re.sub(r"\[.*?\](?=[.\[]|$)", "", path)


def refusals(spec: Plain) -> tuple[Refusal, ...]:
    """Those of our definition of the kind, and those of the rules that admission asks too."""
    found = schema().validate(cast(JSONObject, {"metadata": {"name": "web"}, "spec": spec}))
    told = [Refusal(cause.field, cause.message) for cause in found]
    try:
        parsed = from_json(cm.CertificateSpec, spec)
    except MalformedObject:
        assert told
        return tuple(told)
    problems = [Refusal(problem.field, problem.message) for problem in certificate_problems(parsed)]
    blocking = request_problem(parsed)
    assert blocking is None or Refusal(blocking.field, blocking.message) in problems
    return (*told, *problems)


def faults(each: Drawn, found: tuple[Refusal, ...]) -> list[str]:
    """What is wrong with our refusals: a field that is not named, one that cert-manager lets in, a poor sentence."""
    wrong = [f"poor sentence: {each}" for each in found if not _is_sentence(each.message)]
    if each.wrong:
        return wrong if any(_is_near(refusal.path, each.wrong) for refusal in found) else [f"{each.wrong} is let in"]
    places = {refusal.place for refusal in found if not refusal.message.startswith(TOO_LARGE)}
    theirs = upstream.refused_by_definition(each.spec) | upstream.unreadable_durations(each.spec)
    if not upstream.unreadable_durations(each.spec):
        theirs |= upstream.refused_by_webhook(each.spec)
    # An API server leaves the rules alone where a type or a choice is wrong: then it is enough to name that.
    if not any("rules were not checked" in refusal.message for refusal in found):
        wrong += [f"not named: {path}" for path in theirs if not _is_told(path, places)]
    # The CEL library of the embedded API server takes a text that begins with NUL for an empty one.
    if not upstream.unreadable_durations(each.spec) and '"\\u0000' not in json.dumps(each.spec):
        wrong += [f"refused by us alone: {path}" for path in places - {"<nil>"} if not _is_refused(path, theirs)]
    return wrong if found or not theirs else [f"let in: {theirs}"]


def _is_told(path: str, places: set[str]) -> bool:
    return bool(places & {path, *TOLD_AT.get(path, ())})


def _is_refused(path: str, theirs: Iterable[str]) -> bool:
    return path in STRICTER or any(path in {each, *TOLD_AT.get(each, ())} for each in theirs)


def _is_near(path: str, wrong: str) -> bool:
    return path.startswith(wrong) or wrong.startswith((f"{path}.", f"{path}["))


def _is_sentence(message: str) -> bool:
    return message == "Required value" or (len(message) < 1000 and len(message.split()) > 2 and message.isprintable())


@cache
def schema() -> StructuralSchema:
    """Our definition of the kind, as the embedded API server reads it."""
    definition = cast(Plain, custom_resource_definition(next(kind for kind in V1_KINDS if kind.name == "Certificate")))
    return StructuralSchema.compile(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
