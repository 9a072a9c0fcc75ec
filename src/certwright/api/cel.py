"""CEL rules of CRDs, and the expressions they are made of.

The API server checks them at each write, webhook or not. It refuses a CRD whose rules could cost too much on the
largest request, so no rule walks a list within a list, and below `solvers` it is only asked whether fields are there.
No rule is stricter than cert-manager's webhook; what CEL cannot say cheaply is in `rules`.
"""

from __future__ import annotations

from certwright.api.meta import ApiStruct

EMPTY_STRING = "''"


class Rule(ApiStruct, frozen=True):
    """One entry of x-kubernetes-validations; `field_path` names the property that the error points at.

    Not every reason prints the message: FieldValueDuplicate does not.
    """

    rule: str
    message: str
    field_path: str = ""
    reason: str = ""


def given(*fields: str) -> list[str]:
    """For each field an expression: it is there and not empty."""
    return [f"(has(self.{field}) && size(self.{field}) > 0)" for field in fields]


def value_or(field: str, default: str, holder: str = "self") -> str:
    return f"(has({holder}.{field}) ? {holder}.{field} : {default})"


def one_of(*fields: str) -> str:
    """Exactly one of the fields is there; asked in the way that is estimated as cheapest."""
    first, *rest = (f"has(self.{field})" for field in fields)
    if not rest:
        return first
    others = " || ".join(rest)
    return f"{first} ? ({others} ? false : true) : ({one_of(*fields[1:])})"  # `!` would count, this does not


def not_empty(field: str, what: str) -> Rule:
    return Rule(f"self.{field} != ''", f"{field} is empty: give {what}", f".{field}", "FieldValueRequired")


def no_empty_items(field: str) -> Rule:
    return Rule(
        f"!has(self.{field}) || self.{field}.all(url, url != '')",
        f"{field} holds an empty URL: fill it in or take it out",
        f".{field}",
    )


def secret_named(field: str) -> str:
    """The Secret reference names a Secret; Go clients write unset ones with an empty name."""
    return f"(has(self.{field}) && self.{field}.name != '')"
