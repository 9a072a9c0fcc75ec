"""Random values of the fields of a spec: most are good, some are odd, a few are wrong."""

from __future__ import annotations

import string
from collections.abc import Callable
from copy import deepcopy
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Any, TypeAlias

Plain: TypeAlias = dict[str, Any]  # JSON
Draw: TypeAlias = Callable[[Random], Any]

_ALPHABETS = (
    string.ascii_letters + string.digits,
    "".join(map(chr, range(128))),
    "".join(map(chr, range(256))),
    "äöüßéİıŁ漢字かな한글עבריתالعربية😀🔑\u200b\u202e\ufeff\U0010ffff",
)
_ODD = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "a\nb",
        "\x1b[31m",
        "\x7f",
        "é",
        "😀",
        "İ",
        "\u202ea",
        "\ufffe",
        "a,b",
        'a"b',
        " a ",
        "#a",
    ),
    *("a+b=c", "\\", "x" * 64, "x" * 65, "é" * 33, "x" * 300, "ÿ", "@", "%s{}$(id)", "'; --", "../x"),
)
_LABEL = string.ascii_lowercase + string.digits
_PRINTABLE = string.ascii_letters + string.digits + " '()+,./:=?-"


def mostly(good: Draw, *others: Draw) -> Draw:
    """The good ones nearly always."""
    return lambda random: (random.choice(others) if random.random() < 0.04 else good)(random)


def either(*draws: Draw) -> Draw:
    """One of them."""
    return lambda random: random.choice(draws)(random)


def word(*words: Any) -> Draw:
    """One of the words, which nobody else has."""
    return lambda random: deepcopy(random.choice(words))


def some(item: Draw, least: int = 0) -> Draw:
    """Up to three; rarely, enough to make everything of them large."""

    def draw(random: Random) -> list[Any]:
        count = random.choice((50, 400, 1500)) if random.random() < 0.004 else random.randint(least, 3)
        return [item(random) for _ in range(count)]

    return draw


def fields(**parts: Draw) -> Draw:
    """An object of any of the fields."""
    return lambda random: {name: draw(random) for name, draw in parts.items() if random.random() < 0.5}


def text(alphabet: str, least: int, most: int) -> Draw:
    """A text of so many characters."""
    return lambda random: "".join(random.choices(alphabet, k=random.randint(least, most)))


def any_text(random: Random) -> str:
    """Of any characters that there are, up to twelve."""
    return str(text(random.choice(_ALPHABETS), 0, 12)(random))


odd = word(*_ODD)
long = word("x" * 1000, "x" * 20_000, "x" * 70_000, "ü" * 5000)
ascii_text = text(_ALPHABETS[1], 1, 16)


def label(random: Random) -> str:
    """Of a DNS name."""
    inner = text(_LABEL + "-", 0, 8)(random)
    return f"{random.choice(_LABEL)}{inner}{random.choice(_LABEL)}" if random.random() < 0.8 else random.choice(_LABEL)


def dns(random: Random) -> str:
    """A DNS name."""
    return ".".join(label(random) for _ in range(random.randint(1, 4)))


dns_name = mostly(either(dns, lambda random: f"*.{dns(random)}"), ascii_text, any_text, odd, long)
_mailbox = text(_LABEL + "+_'-", 1, 9)
email = mostly(
    lambda random: f"{_mailbox(random)}@{dns(random)}",
    word("Ops <ops@example.test>", "a@", "@", "a..b@c", '"a b"@c', "(" * 3000, "a@b@c", "a@[127.0.0.1]", "é@x.test"),
    any_text,
    odd,
    long,
)
address = mostly(
    either(
        lambda random: str(IPv4Address(random.getrandbits(32))),
        lambda random: str(IPv6Address(random.getrandbits(128))),
    ),
    word("::ffff:10.0.0.1", "2001:0DB8::0001", "010.0.0.1", "fe80::1%eth0", "10.0.0.1/8", "１.2.3.4", "::", "1.2.3"),
    any_text,
    odd,
)
uri = mostly(lambda random: f"spiffe://{dns(random)}/{label(random)}", ascii_text, any_text, odd, long)
oid = mostly(
    lambda random: f"1.3.6.1.4.1.{random.randint(0, 2**40)}.{random.randint(0, 999)}",
    word("1.2", "2.999", "0.39", "1.40", "3.1", "1", "1.02", "1.2.", "", "2." + "9" * 39, "1.2" + ".9" * 200, "+1.-2"),
    any_text,
)


def other_name(random: Random) -> Plain:
    """Of a type of its own."""
    return {"oid": oid(random), "utf8Value": mostly(any_text, odd, long)(random)}


value = mostly(
    either(text(_PRINTABLE, 1, 12), lambda random: any_text(random) or "x"),
    odd,
    long,
)


def _escaped(given: str) -> str:
    """As RFC 4514 section 2.4 allows it for any text."""
    return "".join(
        f"\\{octet:02x}" if octet < 48 or octet > 126 or chr(octet) in ";<=>\\" else chr(octet)
        for octet in given.encode()
    )


_TYPES = ("C", "O", "OU", "CN", "CN", "CN", "SERIALNUMBER", "L", "ST", "STREET", "DC", "UID", "2.5.4.3", "2.5.4.17")
_BAD_TYPES = ("cn", "SN", "POSTALCODE", "EMAILADDRESS", "FOO", "9.9.9", "1", "2.5.4.99999999999999999999")
_HEX = ("0c0161", "0c02c328", "1e020041", "1e04d83dde00", "3000", "0500", "1c0400000041", "0201", "13", "1403e9", "zz")
attribute_type = mostly(word(*_TYPES), word(*_BAD_TYPES))


def _pair(random: Random) -> str:
    if random.random() < 0.03:
        return f"{random.choice(('CN', 'O'))}=#{random.choice(_HEX)}"
    return f"{attribute_type(random)}={_escaped(value(random))}"


def _pairs(random: Random) -> str:
    parts = [_pair(random)]
    for _ in range(random.randint(0, 3)):
        parts += [random.choice((",", "+", ", ", ";")), _pair(random)]
    return "".join(parts)


literal_subject = mostly(
    _pairs,
    any_text,
    odd,
    word("CN", "CN=", "CN=a,", "CN=a,,O=b", "CN=" + "x" * 65, "O=only", "CN=a;O=b", "CN=a\\", "CN=\\ff", " ", "CN=a=b"),
)
