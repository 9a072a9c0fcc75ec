"""Label and field selectors, in the syntax of the Kubernetes API."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct


class Operator(enum.Enum):
    """How a requirement looks at the value of its key."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER = ">"
    LESS = "<"


class Requirement(Struct, frozen=True):
    """One condition on the labels."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it; a missing key fulfils NOT_IN and DOES_NOT_EXIST."""
        value = labels.get(self.key)
        match self.operator:
            case Operator.IN:
                return value in self.values
            case Operator.NOT_IN:
                return value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.DOES_NOT_EXIST:
                return value is None
            case Operator.GREATER | Operator.LESS:
                return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        if not _INTEGER.fullmatch(value):
            return False
        bound = int(self.values[0])
        return int(value) > bound if self.operator is Operator.GREATER else int(value) < bound

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.GREATER | Operator.LESS:
                return f"{self.key}{self.operator.value}{self.values[0]}"
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.IN | Operator.NOT_IN:
                return f"{self.key} {self.operator.value} ({','.join(self.values)})"


class LabelSelector(Struct, frozen=True):
    """All requirements must hold; without requirements everything matches."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """Read `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`; ValueError with a sentence where it is malformed."""
        return cls(tuple(_LabelParser(text).requirements()))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_END = ""


class _LabelParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [found[1] for found in _TOKEN.finditer(text.rstrip())]
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        while self._peek() != _END:
            yield self._requirement()
            if self._peek() == _END:
                return
            self._expect(",")
            if self._peek() in (_END, ","):
                raise self._error("a requirement is missing after a comma")

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._next()
            return Requirement(self._key(), Operator.DOES_NOT_EXIST)
        key = self._key()
        match self._peek():
            case "," | "":
                return Requirement(key, Operator.EXISTS)
            case "in" | "notin":
                operator = Operator(self._next())
                return Requirement(key, operator, self._set())
            case _:
                return self._comparison(key, self._next())

    def _comparison(self, key: str, symbol: str) -> Requirement:
        match symbol:
            case "=" | "==":
                return Requirement(key, Operator.IN, (self._value(),))
            case "!=":
                return Requirement(key, Operator.NOT_IN, (self._value(),))
            case "<" | ">":
                return Requirement(key, Operator(symbol), (self._integer(),))
            case _:
                raise self._error(f"{symbol!r} is not an operator")

    def _key(self) -> str:
        key = self._next()
        prefix, slash, name = key.rpartition("/")
        has_good_prefix = bool(_SUBDOMAIN.fullmatch(prefix)) and len(prefix) <= 253 if slash else True
        if not (has_good_prefix and _NAME.fullmatch(name)):
            raise self._error(f"{key!r} is not a label key")
        return key

    def _value(self) -> str:
        # An empty value ends the requirement: `a=` and `a=,b` are legal.
        if self._peek() in (_END, ",", ")"):
            return ""
        value = self._next()
        if not _NAME.fullmatch(value):
            raise self._error(f"{value!r} is not a label value")
        return value

    def _integer(self) -> str:
        value = self._next()
        if not _INTEGER.fullmatch(value):
            raise self._error(f"{value!r} is not an integer")
        return value

    def _set(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value()]
        while self._peek() == ",":
            self._next()
            values.append(self._value())
        self._expect(")")
        return tuple(sorted(set(values)))

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, symbol: str) -> None:
        token = self._next()
        if token != symbol:
            raise self._error(f"{symbol!r} was expected where {token!r} stands")

    def _error(self, what: str) -> ValueError:
        return ValueError(f"The label selector {self._text!r} cannot be read: {what}.")


class FieldRequirement(Struct, frozen=True):
    """One comparison of a field's text."""

    field: str
    value: str
    is_equal: bool = True

    def __str__(self) -> str:
        return f"{self.field}{'=' if self.is_equal else '!='}{_ESCAPED.sub(_escape, self.value)}"


class FieldSelector(Struct, frozen=True):
    """All requirements must hold; which fields may be asked is the resource's matter."""

    requirements: tuple[FieldRequirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FieldSelector:
        r"""Read `a=b,c==d,e!=f`; `\` escapes `,`, `=` and itself in values. ValueError where it is malformed."""
        return cls(tuple(_field_requirement(text, term) for term in _TERM.findall(text) if term.strip()))

    def matches(self, lookup: Callable[[str], str]) -> bool:
        """Whether an object is selected; `lookup` gives the text of a field, empty where it is unset."""
        return all((lookup(each.field) == each.value) is each.is_equal for each in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


_TERM = re.compile(r"(?:\\.|[^,\\]|\\$)+")
_ESCAPED = re.compile(r"[\\,=]")
_COMPARISON = re.compile(r"([^=!]+)(==|!=|=)(.*)", re.DOTALL)


def _escape(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _field_requirement(text: str, term: str) -> FieldRequirement:
    found = _COMPARISON.fullmatch(term)
    if found is None:
        raise ValueError(f"The field selector {text!r} cannot be read: {term!r} is no comparison by =, == or !=.")
    field, operator, value = found.groups()
    if re.search(r"(?<!\\)(?:\\\\)*(?:=|\\[^\\,=]|\\$)", value):
        raise ValueError(f"The field selector {text!r} cannot be read: escape the '=' or '\\' in {value!r} with '\\'.")
    return FieldRequirement(field.strip(), re.sub(r"\\(.)", r"\1", value), operator != "!=")
