"""Which identifiers may be ordered (RFC 8555 section 7.1.3, RFC 8738), and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from certwright.acme.protocol.messages import ChallengeType, Identifier
from certwright.acme.protocol.problems import ERROR_PREFIX, ProblemIdentifier, Subproblem
from certwright.acme.server.refusals import malformed, refused
from certwright.pki.csr import Request

MOST_IDENTIFIERS = 100
LONGEST_NAME = 253
WILDCARD = "*."

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def checked(identifiers: Sequence[Identifier], blocked: Sequence[str]) -> tuple[Identifier, ...]:
    """The identifiers in their one spelling, doubles dropped, sorted; raises `Refused` that names each bad one."""
    if not 0 < len(identifiers) <= MOST_IDENTIFIERS:
        raise malformed(f"an order needs 1 to {MOST_IDENTIFIERS} identifiers, this one has {len(identifiers)}")
    problems = tuple(filter(None, (_problem_with(one, blocked) for one in identifiers)))
    if len(problems) == 1:
        raise refused(problems[0].type.removeprefix(ERROR_PREFIX), problems[0].detail, 400, problems)
    if problems:
        kinds = {problem.type.removeprefix(ERROR_PREFIX) for problem in problems}
        kind = kinds.pop() if len(kinds) == 1 else "compound"
        raise refused(kind, f"{len(problems)} of the identifiers cannot be ordered", 400, problems)
    return tuple(sorted({_spelled(one) for one in identifiers}, key=lambda one: (one.type, one.value)))


def of_request(request: Request) -> tuple[Identifier, ...]:
    """The identifiers that a certificate request asks for, its common name among them, in their one spelling."""
    common_name = request.subject_parts.common_name
    names = [*request.names.dns_names, *([common_name] if common_name else [])]
    texts = {_spelled(Identifier("ip" if is_address(name) else "dns", name)) for name in names}
    texts |= {_spelled(Identifier("ip", address)) for address in request.names.ip_addresses}
    return tuple(sorted(texts, key=lambda one: (one.type, one.value)))


def challenge_types_for(identifier: Identifier, offered: Iterable[str]) -> tuple[str, ...]:
    """How control can be proven: a wildcard by dns-01 alone, an address by anything else (RFC 8738 section 4)."""
    if identifier.type == "ip":
        return tuple(kind for kind in offered if kind != ChallengeType.DNS_01)
    if identifier.value.startswith(WILDCARD):
        return tuple(kind for kind in offered if kind == ChallengeType.DNS_01)
    return tuple(offered)


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _spelled(identifier: Identifier) -> Identifier:
    if identifier.type == "ip" and is_address(identifier.value):
        return Identifier("ip", str(ip_address(identifier.value)))
    return Identifier(identifier.type, identifier.value.lower())


def _problem_with(identifier: Identifier, blocked: Sequence[str]) -> Subproblem | None:
    about = ProblemIdentifier(identifier.type, identifier.value)
    match identifier.type:
        case "dns":
            kind, detail = _name_problem(identifier.value.lower(), blocked)
        case "ip":
            kind, detail = _address_problem(identifier.value)
        case other:
            kind, detail = "unsupportedIdentifier", f"identifiers of type {other[:40]!r} are not served: use dns or ip"
    return Subproblem(ERROR_PREFIX + kind, detail, about) if kind else None


def _name_problem(name: str, blocked: Sequence[str]) -> tuple[str, str]:
    bare = name.removeprefix(WILDCARD)
    if is_address(bare):
        return "malformed", f"{name[:80]!r} is an IP address: order it as an identifier of type ip"
    if len(bare) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in bare.split(".")):
        return "malformed", f"{name[:80]!r} is no DNS name: it needs labels of 1 to 63 letters, digits and hyphens"
    if any(bare == rule or bare.endswith(f".{rule}") for rule in blocked):
        return "rejectedIdentifier", f"this CA does not issue for {name}: its operator blocks the name"
    return "", ""


def _address_problem(text: str) -> tuple[str, str]:
    if not is_address(text) or str(ip_address(text)) != text.lower():
        return "malformed", f"{text[:80]!r} is no IP address in the form of RFC 8738 section 3"
    return "", ""
