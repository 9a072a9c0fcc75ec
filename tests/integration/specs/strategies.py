"""Random specs of Certificates: most values of a field are good, some are odd, a few are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from certwright.pki.names import ATTRIBUTES
from certwright.pki.usages import USAGE_NAMES

Plain = dict[str, Any]  # JSON of a spec
Texts = st.SearchStrategy[str]

_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_ODD = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "a\0b",
        "a\nb",
        "é",
        "😀",
        "İ",
        "a,b",
        'a"b',
        " a ",
        "#a",
        "a+b=c",
        "\\",
        "x" * 64,
        "x" * 300,
        "ÿ",
        "@",
    ]
)
_ASCII = st.text(st.characters(max_codepoint=127), min_size=1, max_size=16)
_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_DNS = st.lists(_LABEL, min_size=1, max_size=4).map(".".join)


def _mostly(good: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The good ones nearly always."""
    return st.integers(0, 23).flatmap(lambda number: st.one_of(*others) if number == 7 else good)


def _few(items: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, min_size=least, max_size=3)


_DNS_NAMES = _mostly(_DNS | _DNS.map("*.".__add__), _ASCII, _ANY | _ODD)
_EMAILS = _mostly(
    st.builds("{}@{}".format, st.from_regex(r"[a-z0-9+_'-]{1,9}", fullmatch=True), _DNS),
    st.sampled_from(["Ops <ops@example.test>", "a@", "@", "a..b@c", '"a b"@c', "(" * 3000, "a@b@c", "a@[127.0.0.1]"]),
    _ANY | _ODD | _ASCII,
)
_ADDRESSES = _mostly(
    st.ip_addresses().map(str),
    st.sampled_from(
        ["::ffff:10.0.0.1", "2001:0DB8::0001", "010.0.0.1", "fe80::1%eth0", "10.0.0.1/8", "１.2.3.4", "::"]
    ),
    _ANY | _ODD,
)
_URIS = _mostly(st.builds("spiffe://{}/{}".format, _DNS, _LABEL), _ASCII, _ANY | _ODD)
_OIDS = _mostly(
    st.builds("1.3.6.1.4.1.{}.{}".format, st.integers(0, 2**40), st.integers(0, 999)),
    st.sampled_from(
        ["1.2", "2.999", "0.39", "1.40", "3.1", "1", "1.02", "1.2.", "", "2." + "9" * 39, "1.2" + ".9" * 200]
    ),
    _ANY,
)
_OTHER_NAMES = st.fixed_dictionaries({"oid": _OIDS, "utf8Value": _mostly(_ANY, _ODD)})

_VALUES = _mostly(st.from_regex(r"[A-Za-z0-9 '()+,./:=?-]{1,12}", fullmatch=True) | _ANY.filter(bool), _ODD)
_SUBJECTS: st.SearchStrategy[Plain] = st.fixed_dictionaries(
    {},
    optional={
        part: _few(_VALUES)
        for part in (
            "organizations",
            "countries",
            "organizationalUnits",
            "localities",
            "provinces",
            "streetAddresses",
            "postalCodes",
        )
    }
    | {"serialNumber": _VALUES},
)


def _escaped(text: str) -> str:
    """As RFC 4514 section 2.4 allows it for any text."""
    return "".join(
        f"\\{octet:02x}" if octet < 48 or octet > 126 or chr(octet) in ";<=>\\" else chr(octet)
        for octet in text.encode()
    )


_HEX = st.sampled_from(
    ["0c0161", "0c02c328", "1e020041", "1e04d83dde00", "3000", "0500", "1c0400000041", "0201", "13", "1403e9"]
)
_PAIRS = st.builds("{}={}".format, st.sampled_from(sorted(ATTRIBUTES)), _VALUES.map(_escaped)) | st.builds(
    "{}=#{}".format, st.sampled_from(["CN", "O"]), _HEX
)
_LITERALS = _mostly(
    st.lists(_PAIRS, min_size=1, max_size=4).flatmap(
        lambda pairs: st.lists(st.sampled_from([",", "+", ", "]), min_size=len(pairs), max_size=len(pairs)).map(
            lambda joints: "".join(map("".join, zip(pairs, joints, strict=True)))[: -len(joints[-1])]
        )
    ),
    _ANY | _ODD,
    st.sampled_from(["CN", "CN=", "CN=a,", "CN=a,,O=b", "9.9.9=a", "cn=a", "CN=" + "x" * 65, "O=only", "CN=a;O=b"]),
)

_KEYS: st.SearchStrategy[Plain] = st.fixed_dictionaries(
    {},
    optional={
        "algorithm": _mostly(
            st.sampled_from(["RSA", "ECDSA", "ECDSA", "Ed25519"]), st.sampled_from(["DSA", "", "rsa"])
        ),
        "size": _mostly(
            st.sampled_from([0, 256, 384, 521, 2048]), st.sampled_from([-1, 1, 255, 1024, 2049, 3072, 9000])
        ),
        "encoding": _mostly(st.sampled_from(["PKCS1", "PKCS8"]), st.just("PKCS7")),
        "rotationPolicy": _mostly(st.sampled_from(["Always", "Never"]), st.just("Sometimes")),
    },
)
_SIGNATURES = st.sampled_from(
    [f"SHA{size}WithRSA" for size in (256, 384, 512)]
    + [f"ECDSAWithSHA{size}" for size in (256, 384, 512)]
    + ["PureEd25519", "MD5WithRSA"]
)
_USAGES = _few(_mostly(st.sampled_from(USAGE_NAMES), st.sampled_from(["", "server-auth"])))
_DURATIONS = _mostly(
    st.integers(1, 30_000).map("{}h".format),
    st.sampled_from(
        ["1h0m0s", "59m", "1.5h", "3600.25s", "-1h", "1d", "", "2562047h", "2562048h", "9" * 40 + "h", "0", "1h1ns"]
    ),
)
_EARLINESS = _mostly(st.integers(5, 60).map("{}m".format), _DURATIONS)

_CRONS = _mostly(
    st.sampled_from(["0 2 * * *", "*/5 * * * *", "0 0 29 2 *", "0 0 ? * MON-FRI", "59 23 31 12 6"]),
    st.sampled_from(["", "* * * * * *", "0 0 31 2 *", "0 0 L * *", "60 * * * *", "*/0 * * * *", "0 0 * * 8"]),
    st.lists(st.text("0123456789*/,-?", max_size=4), min_size=5, max_size=5).map(" ".join),
)
_WINDOWS = st.fixed_dictionaries(
    {
        "cron": _CRONS,
        "windowDuration": _mostly(
            st.sampled_from(["4h", "1h30m", "0.5h"]), st.sampled_from(["0s", "4", "9" * 20 + "h"])
        ),
    },
    optional={
        "timezone": _mostly(
            st.sampled_from(["UTC", "Europe/Berlin"]), st.sampled_from(["", "Mars/Base", "../x", "Europe"])
        )
    },
)
_RENEWALS = st.fixed_dictionaries(
    {},
    optional={
        "policy": _mostly(st.sampled_from(["RenewBefore", "Disabled"]), st.just("Never")),
        "windows": _few(_WINDOWS),
    },
)

_PASSWORDS: st.SearchStrategy[Plain] = _mostly(
    st.fixed_dictionaries({"password": _mostly(_ANY.filter(bool), _ODD)}),
    st.just({}),
    st.just({"passwordSecretRef": {"name": "p", "key": "k"}}),
    st.just({"password": "x", "passwordSecretRef": {"name": "p", "key": "k"}}),
)


def _store(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[Plain]:
    named = st.fixed_dictionaries({"create": st.booleans()}, optional=dict(more))
    return st.builds(lambda store, password: store | password, named, _PASSWORDS)


_KEYSTORES = st.fixed_dictionaries(
    {},
    optional={
        "jks": _store(
            alias=_mostly(_LABEL | _ANY.filter(bool), _ODD, st.sampled_from(["ca", "CA", "MyKey", "a" * 70_000]))
        ),
        "pkcs12": _store(
            profile=_mostly(st.sampled_from(["LegacyRC2", "LegacyDES", "Modern2023", "Modern2026"]), st.just("Ancient"))
        ),
    },
)

_QUALIFIED = _mostly(
    _LABEL | st.builds("{}/{}".format, _DNS, _LABEL),
    st.sampled_from(
        ["", "/x", "a/", "a/b/c", "A_b/c", "x" * 64, "cert-manager.io/x", "cert-manager.io/allow-direct-injection"]
    ),
    _ANY,
)
_TEMPLATES = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.dictionaries(_QUALIFIED, _mostly(_LABEL | st.just(""), _ODD, _ANY), max_size=2),
        "annotations": st.dictionaries(_QUALIFIED, _ANY | _ODD, max_size=2),
    },
)

_RANGES = _mostly(
    st.sampled_from(["10.0.0.0/8", "fd00::/8", "10.1.2.3/8", "::/0", "0.0.0.0/0"]),
    st.sampled_from(["10.0.0.1", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fe80::1%eth0/64", "", "x", "10.0.0.0/08"]),
)
_SUBTREES = st.fixed_dictionaries(
    {},
    optional={
        "dnsDomains": _few(_mostly(_DNS | _DNS.map(".".__add__), _ODD, _ANY)),
        "ipRanges": _few(_RANGES),
        "emailAddresses": _few(_mostly(_DNS, _ODD, _ANY)),
        "uriDomains": _few(_mostly(_DNS, _ODD, _ANY)),
    },
)
_CONSTRAINTS = st.fixed_dictionaries(
    {}, optional={"critical": st.booleans(), "permitted": _SUBTREES, "excluded": _SUBTREES}
)

_NAMES: Mapping[str, st.SearchStrategy[Any]] = {
    "dnsNames": _few(_DNS_NAMES),
    "emailAddresses": _few(_EMAILS),
    "ipAddresses": _few(_ADDRESSES),
    "uris": _few(_URIS),
    "otherNames": _few(_OTHER_NAMES),
}
_OTHERS: Mapping[str, st.SearchStrategy[Any]] = {
    "secretTemplate": _TEMPLATES,
    "keystores": _KEYSTORES,
    "usages": _USAGES,
    "privateKey": _KEYS,
    "signatureAlgorithm": _SIGNATURES,
    "encodeUsagesInRequest": st.booleans(),
    "revisionHistoryLimit": _mostly(st.integers(1, 9), st.sampled_from([0, -1])),
    "additionalOutputFormats": _few(st.sampled_from(["DER", "CombinedPEM"]).map(lambda kind: {"type": kind})),
    "duration": _DURATIONS,
    "renewBefore": _EARLINESS,
    "renewBeforePercentage": st.integers(-1, 101),
    "renewal": _RENEWALS,
}


_ALL = {**_NAMES, **_OTHERS}


@st.composite
def specs(draw: st.DrawFn) -> Plain:
    """A spec; of the fields that may be left out, some are there."""
    spec: Plain = {
        "secretName": draw(_mostly(_DNS, st.sampled_from(["", "A_b", "a..b", "a" * 254, "a-"]))),
        "issuerRef": draw(
            _mostly(
                st.sampled_from([{"name": "ca"}, {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}]),
                st.sampled_from(
                    [{"name": ""}, {"name": "ca", "kind": "Other"}, {"name": "x", "kind": "Y", "group": "z.io"}]
                ),
            )
        ),
    }
    if draw(st.integers(0, 3)) == 0:
        spec["literalSubject"] = draw(_LITERALS)
    named = draw(st.integers(0, 9))
    if named in ({0} if "literalSubject" in spec else {0, 1, 2, 3, 4}):
        spec["commonName"] = draw(_VALUES)
    if named in ({1} if "literalSubject" in spec else {3, 4, 5, 6}):
        spec["subject"] = draw(_SUBJECTS)
    if draw(st.integers(0, 3)) == 0:
        spec["isCA"] = draw(st.booleans())
        if draw(st.booleans()):
            spec["nameConstraints"] = draw(_CONSTRAINTS)
    names = draw(st.lists(st.sampled_from(sorted(_NAMES)), unique=True, max_size=3))
    others = draw(st.lists(st.sampled_from(sorted(_OTHERS)), unique=True, max_size=4))
    return spec | {name: draw(_ALL[name]) for name in (*names, *others)}
