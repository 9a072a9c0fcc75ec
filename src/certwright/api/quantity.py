"""The text of a Kubernetes quantity after Go has read and written it."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,2})|([a-zA-Z]*))", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()}
_FINEST = -9  # nano
_EXACT_DIGITS = 18  # what fits an int64 for certain


def canonical_quantity(text: str) -> str:
    """The same amount with no fraction and the largest suffix that fits (`0.5` → `500m`).

    What Go takes for canonical already (`1.500`) stays, and so does what is no quantity.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return text
    sign, whole, fraction, exponent, suffix = match.groups(default="")
    digits = (whole.lstrip("0") or "0") + fraction
    number = Fraction(int(f"{sign}{digits}"), 10 ** len(fraction))
    if exponent or suffix in _DECIMAL:
        scale = int(exponent) if exponent else _DECIMAL[suffix]
        if _is_kept(digits, scale - len(fraction)):
            return text
        return _decimal(number * Fraction(10) ** scale, exponential=bool(exponent))
    if suffix in _BINARY:
        return _binary(number * 1024 ** _BINARY[suffix])
    return text


def _is_kept(digits: str, scale: int) -> bool:
    """Go's parser keeps the text of what is near enough to canonical."""
    exact = len(digits) <= _EXACT_DIGITS and scale >= _FINEST
    return exact and scale % 3 == 0 and not digits.startswith("0") and not digits.endswith("000")


def _decimal(amount: Fraction, *, exponential: bool) -> str:
    units = -(-abs(amount) * 10**-_FINEST // 1)  # what is finer is rounded up
    if units == 0:
        return "0"
    exponent = _FINEST
    while units % 1000 == 0 and exponent < max(_DECIMAL_SUFFIX):
        units, exponent = units // 1000, exponent + 3
    suffix = (f"e{exponent}" if exponent else "") if exponential else _DECIMAL_SUFFIX[exponent]
    return f"{'-' if amount < 0 else ''}{units}{suffix}"


def _binary(amount: Fraction) -> str:
    if abs(amount) < 1024 or amount.denominator != 1:  # below 1Ki there is no binary suffix
        return _decimal(amount, exponential=False)
    number, power = int(amount), 0
    while number % 1024 == 0 and power < len(_BINARY):
        number, power = number // 1024, power + 1
    return f"{number}{_BINARY_SUFFIX.get(power, '')}"
