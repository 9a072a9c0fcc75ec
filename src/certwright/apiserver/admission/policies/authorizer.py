"""The variable `authorizer`: asks in expressions whether somebody may do something."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from certwright.apiserver.admission.review import Review
from certwright.apiserver.asked import Asked
from certwright.apiserver.auth.rights import Rights
from certwright.apiserver.caller import Caller
from certwright.apiserver.schema.cel_declare import Signatures

Question = Mapping[str, object]
_ACCOUNTS = "system:serviceaccounts"


class Authorizer:
    """Answers for one review at a time: an evaluation never waits, so that no other can come between."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights
        self._caller = Caller("")

    def question(self, review: Review) -> dict[str, object]:
        """What the variable holds for a review, whose caller is asked about from now on."""
        self._caller = review.caller
        resource = review.definition.resource
        request = {
            "group": resource.group,
            "resource": resource.plural,
            "subresource": review.subresource,
            "namespace": review.namespace,
            "name": review.name,
        }
        return {"requestResource": request}

    def functions(self) -> Signatures:
        """What may be called on the variable, and on what comes of that."""
        found = Signatures()
        for word in ("path", "group", "resource", "subresource", "namespace", "name"):
            found.member(f"{word}(map, string) map", _step(word))
        found.member("serviceAccount(map, string, string) map", _as_account)
        found.member("check(map, string) map", self._check)
        found.member("allowed(map) bool", lambda decision: decision.get("allowed") is True)
        found.member("errored(map) bool", lambda _decision: False)
        found.member("error(map) string", lambda _decision: "")
        found.member("reason(map) string", lambda _decision: "")
        found.function("jsonpatch.escapeKey(string) string", lambda key: key.replace("~", "~0").replace("/", "~1"))
        return found

    def _check(self, question: Question, verb: str) -> Question:
        caller = _account(question) or self._caller
        if "path" in question:
            return {"allowed": self._rights.allows_path(caller, verb, _word(question, "path"))}
        words = {name: _word(question, name) for name in ("group", "namespace", "name", "subresource")}
        asked = Asked(verb=verb, version="*", plural=_word(question, "resource"), **words)
        return {"allowed": self._rights.allows(caller, asked)}


def _step(word: str) -> Callable[[Question, str], Question]:
    return lambda question, value: {**question, word: value}


def _as_account(question: Question, namespace: str, name: str) -> Question:
    return {**question, "account": f"{namespace}:{name}"}


def _account(question: Question) -> Caller | None:
    told = _word(question, "account")
    if not told:
        return None
    groups = (_ACCOUNTS, f"{_ACCOUNTS}:{told.partition(':')[0]}", "system:authenticated")
    return Caller(f"system:serviceaccount:{told}", groups)


def _word(question: Question, name: str) -> str:
    value = question.get(name)
    return value if isinstance(value, str) else ""
