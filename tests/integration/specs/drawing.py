"""Random specs of Certificates, each of a seed of its own: one that fails can be drawn again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from msgspec import Struct
from tests.integration.specs.values import (
    Draw,
    Plain,
    address,
    any_text,
    dns,
    dns_name,
    either,
    email,
    fields,
    label,
    literal_subject,
    long,
    mostly,
    odd,
    other_name,
    some,
    uri,
    value,
    word,
)

USAGES = (
    *("signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment"),
    *("cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing"),
    *("email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing"),
    *("microsoft sgc", "netscape sgc"),
)
_LISTS = (
    *("organizations", "countries", "organizationalUnits", "localities", "provinces", "streetAddresses"),
    "postalCodes",
)
_SUBJECT = fields(**dict.fromkeys(_LISTS, some(value)), serialNumber=value)
_SIZES = {"RSA": (0, 2048, 2048, 2049, 3072, 4096), "ECDSA": (0, 256, 384, 521), "Ed25519": (0, 256, 7)}
_SIGNATURES = {
    "RSA": ("SHA256WithRSA", "SHA384WithRSA", "SHA512WithRSA"),
    "ECDSA": ("ECDSAWithSHA256", "ECDSAWithSHA384", "ECDSAWithSHA512"),
    "Ed25519": ("PureEd25519",),
}
_DURATION = mostly(
    lambda random: f"{random.randint(1, 30_000)}h",
    word("1h0m0s", "59m", "1.5h", "3600.25s", "-1h", "1d", "", "2562047h", "2562048h", "9" * 40 + "h", "0", "1h1ns"),
    any_text,
)
_BEFORE = mostly(lambda random: f"{random.randint(5, 59)}m", word("1h", "4m59s", "2160h", "-5m", "", "x", "0", "300s"))
_CRON = mostly(
    word("0 2 * * 6", "*/15 0-6 1,15 * MON-FRI", "0 0 29 2 *", "? ? * * *", "@daily"),
    word("", " ", "* * * *", "0 0 L * *", "0 0 31 2 *", "99 * * * *", "* * * * * *", "@never", "a b c d e", "0 " * 200),
    any_text,
)
_POLICIES = mostly(word("RenewBefore"), word("Disabled", "Never", ""))
_ROTATION = mostly(word("Always", "Never"), word("Sometimes", ""))
_PASSWORD = mostly(
    lambda random: {"password": mostly(lambda random: any_text(random) or "x", odd, long)(random)},
    word({}, {"passwordSecretRef": {"name": "p", "key": "k"}}),
    word({"password": "x", "passwordSecretRef": {"name": "p", "key": "k"}}, {"passwordSecretRef": {"name": ""}}),
)
_ALIAS = mostly(either(label, any_text), odd, word("ca", "CA", "MyKey", "a" * 70_000))
_PROFILE = mostly(word("LegacyRC2", "LegacyDES", "Modern2023", "Modern2026"), word("Ancient", ""))
_QUALIFIED = mostly(
    either(label, lambda random: f"{dns(random)}/{label(random)}"),
    word("", "/x", "a/", "a/b/c", "A_b/c", "x" * 64, "cert-manager.io/x", "cert-manager.io/allow-direct-injection"),
    any_text,
)
_LABEL_VALUE = mostly(either(label, word("")), odd, any_text, long)
_RANGE = mostly(
    word("10.0.0.0/8", "fd00::/8", "10.1.2.3/8", "::/0", "0.0.0.0/0"),
    word("10.0.0.1", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fe80::1%eth0/64", "", "x", "10.0.0.0/08"),
)
_DOMAIN = mostly(either(dns, lambda random: f".{dns(random)}"), odd, any_text)
_SUBTREES = fields(
    dnsDomains=some(_DOMAIN), ipRanges=some(_RANGE), emailAddresses=some(_DOMAIN), uriDomains=some(_DOMAIN)
)
_NAMES: Mapping[str, Draw] = {
    "dnsNames": some(dns_name),
    "emailAddresses": some(email),
    "ipAddresses": some(address),
    "uris": some(uri),
    "otherNames": some(other_name),
}


class Drawn(Struct, frozen=True):
    """A spec, and the path of the value in it that is of a wrong type; empty where none is."""

    spec: Plain
    wrong: str = ""


def drawn(numbers: range) -> Iterator[Drawn]:
    """The specs of these numbers."""
    for number in numbers:
        random = Random(number)
        spec = _spec(random)
        yield _spoiled(spec, random) if random.random() < 0.06 else Drawn(spec)


def _spec(random: Random) -> Plain:
    spec: Plain = {
        "secretName": mostly(dns, word("", "A_b", "a..b", "a" * 254, "a-", "é"), any_text)(random),
        "issuerRef": _issuer(random),
        **_subject(random),
        **{name: draw(random) for name, draw in _NAMES.items() if random.random() < 0.35},
    }
    for name, draw in _OTHERS.items():
        if random.random() < 0.3:
            spec[name] = draw(random)
    if random.random() < 0.3:
        spec |= _certificate_authority(random)
    if random.random() < 0.6:
        spec |= _key(random)
    return spec | _life(random)


_issuer = mostly(
    word(
        {"name": "ca"}, {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}, {"name": "c", "kind": ""}
    ),
    word(
        {"name": ""}, {"name": "ca", "kind": "Other"}, {"name": "x", "kind": "Y", "group": "z.io"}, {"kind": "Issuer"}
    ),
)


def _subject(random: Random) -> Plain:
    given = {}
    if random.random() < 0.25:
        given["literalSubject"] = literal_subject(random)
    rare = 0.04 if given else 1
    if random.random() < 0.6 * rare:
        given["commonName"] = value(random)
    if random.random() < 0.4 * rare:
        given["subject"] = _SUBJECT(random)
    return given


def _certificate_authority(random: Random) -> Plain:
    found: Plain = {"isCA": random.random() < 0.7}
    if found["isCA"] or random.random() < 0.1:
        parts = fields(permitted=_SUBTREES, excluded=_SUBTREES)(random)
        if parts or random.random() < 0.1:
            found["nameConstraints"] = {**parts, **fields(critical=word(True, False))(random)}
    return found


def _key(random: Random) -> Plain:
    algorithm = random.choice(("RSA", "ECDSA", "ECDSA", "Ed25519"))
    wrong = word(-1, 1, 255, 1024, 2047, 8192, 8193, 2**31 - 1)
    found: Plain = {"algorithm": algorithm} if algorithm != "RSA" or random.random() < 0.5 else {}
    if random.random() < 0.6:
        found["size"] = mostly(word(*_SIZES[algorithm]), wrong)(random)
    if random.random() < 0.02:
        found["algorithm"] = random.choice(("DSA", "", "rsa"))
    found |= fields(encoding=mostly(word("PKCS1", "PKCS8"), word("PKCS7", "")), rotationPolicy=_ROTATION)(random)
    signature = mostly(word(*_SIGNATURES[algorithm]), word("MD5WithRSA", "PureEd25519", "SHA256WithRSA", ""))
    return {"privateKey": found, **fields(signatureAlgorithm=signature)(random)}


def _life(random: Random) -> Plain:
    found: Plain = fields(duration=_DURATION)(random)
    match random.randint(0, 9):
        case 0 | 1 | 2:
            found["renewBefore"] = _BEFORE(random)
        case 3 | 4:
            found["renewBeforePercentage"] = mostly(
                lambda random: random.randint(1, 91), word(-1, 0, 99, 100, 2**31 - 1)
            )(random)
        case 5 if random.random() < 0.2:
            found |= {"renewBefore": "1h", "renewBeforePercentage": 5}
        case 6 | 7:
            found["renewal"] = _renewal(random)
    return found


def _renewal(random: Random) -> Plain:
    found: Plain = {"policy": _POLICIES(random)} if random.random() < 0.97 else {}
    if random.random() < 0.6:
        found["windows"] = [_window(random) for _ in range(random.randint(0, 2))]
    return found


def _window(random: Random) -> Plain:
    length = mostly(word("4h", "1h30m", "0.5h"), word("0s", "4", "9" * 20 + "h", "-1h", ""))
    zone = mostly(
        word("UTC", "Europe/Berlin", "America/Argentina/Ushuaia"), word("", "Mars/Base", "../x", "Europe", "\0")
    )
    return {"cron": _CRON(random), "windowDuration": length(random), **fields(timezone=zone)(random)}


def _stores(random: Random) -> Plain:
    def store(**more: Draw) -> Plain:
        return {"create": random.random() < 0.7, **fields(**more)(random), **_PASSWORD(random)}

    found = {"jks": store(alias=_ALIAS), "pkcs12": store(profile=_PROFILE)}
    return {name: found[name] for name in fields(jks=word(0), pkcs12=word(0))(random)}


def _template(random: Random) -> Plain:
    def pairs(values: Draw) -> Draw:
        return lambda random: {_QUALIFIED(random): values(random) for _ in range(random.randint(0, 2))}

    texts = mostly(any_text, odd, long, word("x" * 300_000))
    found: Plain = fields(labels=pairs(_LABEL_VALUE), annotations=pairs(texts))(random)
    return found


_FORMATS = mostly(
    word([{"type": "DER"}], [{"type": "CombinedPEM"}], [{"type": "DER"}, {"type": "CombinedPEM"}], []),
    word([{"type": "DER"}, {"type": "DER"}], [{"type": "P7B"}], [{}]),
)
_OTHERS: Mapping[str, Draw] = {
    "usages": some(mostly(word(*USAGES), word("", "server-auth", "Any"))),
    "encodeUsagesInRequest": word(True, False),
    "revisionHistoryLimit": mostly(lambda random: random.randint(1, 9), word(0, -1, 2**31 - 1)),
    "secretTemplate": _template,
    "keystores": _stores,
    "additionalOutputFormats": _FORMATS,
}


def _spoiled(spec: Plain, random: Random) -> Drawn:
    """One value is replaced by one of another type."""
    holder: Any = spec
    path = "spec"
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = random.choice(keys)
        path += f"[{key}]" if isinstance(holder, list) else f".{key}"
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.3:
            break
        holder = inner
    values: list[Any] = [7, 1.5, True, "7", None, [], {}]
    wrong = [each for each in values if not _is_alike(each, inner)]
    holder[key] = random.choice(wrong)
    return Drawn(spec, path)


def _is_alike(one: Any, other: Any) -> bool:
    numbers = (int, float)
    if type(one) in numbers and type(other) in numbers:
        return type(one) is int
    return type(one) is type(other)
