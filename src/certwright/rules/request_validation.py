"""What a CertificateRequest must be when it is made, and what may never change about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, format_duration, parse_duration
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, ConditionType
from certwright.pki.csr import parse_request
from certwright.pki.errors import PkiError
from certwright.rules.approval import request_problems
from certwright.rules.conditions import find_condition
from certwright.rules.validation import FORBIDDEN, REQUIRED, Problem, reference_problems

JUDGEMENTS = (ConditionType.APPROVED, ConditionType.DENIED)
_FIXED = "It cannot change: a CertificateRequest is fixed once made; make a new one."
# Keys that begin so, as cert-manager asks; venafi.cert-manager.io/… may change.
_OURS = (CERT_MANAGER_GROUP, ACME_GROUP)


def new_request_problems(spec: cm.CertificateRequestSpec) -> Iterator[Problem]:
    """What is wrong with a new one, its requester aside."""
    yield from reference_problems(spec.issuer_ref, "spec.issuerRef")
    if not spec.request:
        yield Problem("spec.request", "The signing request is missing; give it as PEM, base64 encoded.", REQUIRED)
        return
    try:
        csr = parse_request(spec.request)
    except PkiError as error:
        yield Problem("spec.request", f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return
    for text in request_problems(csr, spec):
        yield Problem("spec.request", text)


def changed_spec_problems(old: cm.CertificateRequestSpec, new: cm.CertificateRequestSpec) -> Iterator[Problem]:
    """Which fields of the spec were changed."""
    before, after = _plain(old), _plain(new)
    for field in cm.CertificateRequestSpec.__struct_encode_fields__:
        name = _ATTRIBUTES[field]
        if getattr(before, name) != getattr(after, name):
            yield Problem(f"spec.{field}", _FIXED, FORBIDDEN)


_ATTRIBUTES = dict(
    zip(cm.CertificateRequestSpec.__struct_encode_fields__, cm.CertificateRequestSpec.__struct_fields__, strict=True)
)


def _plain(spec: cm.CertificateRequestSpec) -> cm.CertificateRequestSpec:
    """With the duration in one form, and groups in one order."""
    try:
        duration = None if spec.duration is None else format_duration(parse_duration(spec.duration))
    except ValueError:
        duration = spec.duration
    return replace(spec, duration=duration, groups=tuple(sorted(spec.groups)))


def annotation_problems(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Problem]:
    """Which annotations of ours were added, changed or taken away."""
    for key in sorted(old.keys() | new.keys()):
        if key.startswith(_OURS) and old.get(key) != new.get(key):
            yield Problem(f"metadata.annotations[{key}]", _FIXED, FORBIDDEN)


def judgement_problems(conditions: tuple[Condition, ...]) -> Iterator[Problem]:
    """What is wrong with the conditions Approved and Denied of one state."""
    counts = Counter(condition.type for condition in conditions if condition.type in JUDGEMENTS)
    for kind, count in counts.items():
        if count > 1:
            yield Problem("status.conditions", f"Condition {kind} stands there {count} times; leave one.", FORBIDDEN)
    for condition in conditions:
        if condition.type in JUDGEMENTS and condition.status != "True":
            text = f"Condition {condition.type} can only be True; leave it out where it does not hold."
            yield Problem("status.conditions", text)
    if len(counts) == len(JUDGEMENTS):
        yield Problem("status.conditions", "Approved and Denied exclude each other; set one of them.", FORBIDDEN)


def changed_judgement_problems(old: tuple[Condition, ...], new: tuple[Condition, ...]) -> Iterator[Problem]:
    """Which of the conditions Approved and Denied was changed or taken away."""
    for kind in JUDGEMENTS:
        before = find_condition(old, kind)
        if before is not None and find_condition(new, kind) != before:
            text = f"Condition {kind} is final; make a new CertificateRequest to decide anew."
            yield Problem("status.conditions", text, FORBIDDEN)


def is_newly_judged(old: tuple[Condition, ...], new: tuple[Condition, ...]) -> bool:
    """Whether Approved or Denied has come, for which a permission is needed."""
    return any(find_condition(new, kind) and not find_condition(old, kind) for kind in JUDGEMENTS)


def signer_names(resource: str, namespace: str, name: str) -> tuple[str, str]:
    """Under which names the permission `approve` may be held; `resource` is `<plural>.<group>`, `namespace` may be ''.

    The first stands for all issuers of the kind, the second for this one.
    """
    return f"{resource}/*", f"{resource}/{namespace}.{name}" if namespace else f"{resource}/{name}"
