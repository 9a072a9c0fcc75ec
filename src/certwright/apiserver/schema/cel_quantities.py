"""Quantities in rules: `quantity("1.5Gi")`, compared and added."""

from __future__ import annotations

import re
from fractions import Fraction

from certwright.apiserver.schema.cel_declare import Signatures

_KIND = "kubernetes.Quantity"
_FORM = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d{1,2})|([a-zA-Z]*))", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_LARGEST = 2**63


def parse(text: str) -> Fraction:
    """The amount; ValueError for what is no quantity."""
    match = _FORM.fullmatch(text)
    if match:
        number, exponent, suffix = match.groups(default="")
        if exponent:
            return Fraction(number) * _power(10, int(exponent))
        if suffix in _DECIMAL:
            return Fraction(number) * _power(10, _DECIMAL[suffix])
        if suffix in _BINARY:
            return Fraction(number) * _power(1024, _BINARY[suffix])
    raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")


def _power(base: int, exponent: int) -> Fraction:
    return Fraction(base**exponent) if exponent >= 0 else Fraction(1, base**-exponent)


def _is_quantity(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _wrap(amount: Fraction) -> dict[str, str]:
    return {_KIND: str(amount)}


def _amount(value: dict[str, str]) -> Fraction:
    if _KIND not in value:
        raise ValueError("no such overload")
    return Fraction(value[_KIND])


def _integer(value: dict[str, str]) -> int:
    amount = _amount(value)
    if not _fits(amount):
        raise ValueError("cannot convert value to integer")
    return int(amount)


def _fits(amount: Fraction) -> bool:
    return amount.denominator == 1 and -_LARGEST <= amount < _LARGEST


def declare(found: Signatures) -> None:
    """Declare all functions of quantities."""
    found.function("quantity(string) map", lambda text: _wrap(parse(text)))
    found.function("isQuantity(string) bool", _is_quantity)
    found.function("sign(map) int", lambda q: (_amount(q) > 0) - (_amount(q) < 0))
    found.member("isInteger(map) bool", lambda q: _fits(_amount(q)))
    found.member("asInteger(map) int", _integer)
    found.member("asApproximateFloat(map) double", lambda q: float(_amount(q)))
    found.member("isLessThan(map, map) bool", lambda a, b: _amount(a) < _amount(b))
    found.member("isGreaterThan(map, map) bool", lambda a, b: _amount(a) > _amount(b))
    found.member("compareTo(map, map) int", lambda a, b: (_amount(a) > _amount(b)) - (_amount(a) < _amount(b)))
    found.member("add(map, map) map", lambda a, b: _wrap(_amount(a) + _amount(b)))
    found.member("add(map, int) map", lambda a, b: _wrap(_amount(a) + b))
    found.member("sub(map, map) map", lambda a, b: _wrap(_amount(a) - _amount(b)))
    found.member("sub(map, int) map", lambda a, b: _wrap(_amount(a) - b))
