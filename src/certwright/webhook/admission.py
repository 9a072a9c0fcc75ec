"""The answers to questions of admission, wherever they come from."""

from __future__ import annotations

from certwright.api.meta import MalformedObject, decode
from certwright.api.wellknown import CERT_MANAGER_GROUP
from certwright.rules.gates import Gates
from certwright.rules.identity import identity_patch
from certwright.rules.validation import Problem
from certwright.webhook.approval import REQUESTS, Approvals, CannotAsk
from certwright.webhook.judging import judge
from certwright.webhook.review import Allowed, Answer, Question, Refused

NOTHING_TO_SAY = Allowed()


class Admission:
    """Answers questions; nothing is written, so a dry run is answered as any other."""

    def __init__(self, approvals: Approvals, gates: Gates) -> None:
        self._approvals = approvals
        self._gates = gates

    def mutate(self, question: Question) -> Answer:
        """New CertificateRequests get their requester; nothing else is changed."""
        is_new = question.operation == "CREATE" and not question.subresource
        if not is_new or (question.group, question.plural) != (CERT_MANAGER_GROUP, REQUESTS):
            return NOTHING_TO_SAY
        try:
            spec = decode(dict, question.object).get("spec")
        except MalformedObject as error:
            return _unreadable(error)
        # Where there is no spec, the rules of the CRD say so.
        patch = identity_patch(spec, question.requester) if isinstance(spec, dict) else []
        return Allowed(patch=tuple(patch))

    async def validate(self, question: Question) -> Answer:
        """By the rules of the object's kind, and by the permissions of the requester."""
        try:
            verdict = judge(question, self._gates)
            problem = None if verdict.problems else await self._approvals.problem(question)
        except MalformedObject as error:
            return _unreadable(error)
        except CannotAsk as error:
            return Refused(message=str(error), code=500, reason="InternalError")
        problems = verdict.problems or ((problem,) if problem else ())
        if problems:
            return Refused(message=_joined(problems), warnings=verdict.warnings)
        return Allowed(warnings=verdict.warnings)


def _unreadable(error: MalformedObject) -> Refused:
    return Refused(message=f"The object cannot be read: {error}.", code=400, reason="BadRequest")


def _joined(problems: tuple[Problem, ...]) -> str:
    """One as it is, several as `[a, b]`, each once, as API servers write them."""
    texts = list(dict.fromkeys(str(problem) for problem in problems))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
