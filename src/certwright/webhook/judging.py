"""Whether an object may be made or changed, as far as the object itself, its old form and its requester say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ApiStruct, decode
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP
from certwright.rules.acme_validation import changed_challenge_problems, changed_order_problems
from certwright.rules.certificate_warnings import certificate_warnings
from certwright.rules.gated_fields import gated_problems
from certwright.rules.gates import Gates
from certwright.rules.identity import identity_problems
from certwright.rules.issuer_validation import issuer_problems, issuer_warnings
from certwright.rules.request_validation import (
    annotation_problems,
    changed_judgement_problems,
    changed_spec_problems,
    judgement_problems,
    new_request_problems,
)
from certwright.rules.validation import Problem, certificate_problems
from certwright.webhook.review import Question


class Verdict(Struct, frozen=True):
    """What is wrong with a write, and what its author is told beside that."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


FINE = Verdict()


class _Issuer(ApiStruct, frozen=True, kw_only=True):
    spec: cm.IssuerSpec


def judge(question: Question, gates: Gates) -> Verdict:
    """By the rules of the object's kind; raises MalformedObject where the object cannot be read."""
    check = _KINDS.get((question.group, question.plural))
    if check is None or not question.object or question.operation not in {"CREATE", "UPDATE"}:
        return FINE
    return check(question, gates)


def _certificate(question: Question, gates: Gates) -> Verdict:
    if _has_old_spec(question):
        return FINE
    spec = decode(cm.Certificate, question.object).spec
    problems = (*certificate_problems(spec), *gated_problems(spec, gates))
    return Verdict(problems, certificate_warnings(spec))


def _issuer(question: Question, _gates: Gates) -> Verdict:
    if _has_old_spec(question):
        return FINE
    spec = decode(_Issuer, question.object).spec
    return Verdict(issuer_problems(spec), issuer_warnings(spec))


def _has_old_spec(question: Question) -> bool:
    """What did not change is not judged again: status and finalizers of what was stored long ago can be written."""
    return bool(question.old) and _spec(question.old) == _spec(question.object)


def _spec(body: bytes) -> object:
    return decode(dict, body).get("spec")


def _request(question: Question, _gates: Gates) -> Verdict:
    new = decode(cm.CertificateRequest, question.object)
    found: list[Problem] = list(judgement_problems(new.status.conditions))
    if question.old:
        old = decode(cm.CertificateRequest, question.old)
        found += annotation_problems(old.metadata.annotations, new.metadata.annotations)
        found += changed_spec_problems(old.spec, new.spec)
        found += changed_judgement_problems(old.status.conditions, new.status.conditions)
    else:
        found += new_request_problems(new.spec)
        found += identity_problems(new.spec, question.requester)
    return Verdict(tuple(found))


def _order(question: Question, _gates: Gates) -> Verdict:
    return _changed(question, acme.Order, changed_order_problems)


def _challenge(question: Question, _gates: Gates) -> Verdict:
    return _changed(question, acme.Challenge, changed_challenge_problems)


def _changed(question: Question, kind: type[Struct], compare: Callable[..., Iterable[Problem]]) -> Verdict:
    if not question.old:
        return FINE
    return Verdict(tuple(compare(decode(kind, question.old), decode(kind, question.object))))


_KINDS: Mapping[tuple[str, str], Callable[[Question, Gates], Verdict]] = {
    (CERT_MANAGER_GROUP, "certificates"): _certificate,
    (CERT_MANAGER_GROUP, "certificaterequests"): _request,
    (CERT_MANAGER_GROUP, "issuers"): _issuer,
    (CERT_MANAGER_GROUP, "clusterissuers"): _issuer,
    (ACME_GROUP, "orders"): _order,
    (ACME_GROUP, "challenges"): _challenge,
}
