"""Our key stores against real ones, made with their salts, where the specification lies beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from certwright.pki import der, pem
from certwright.pki.keys import parse_private_key
from certwright.pki.keystores import jks, pkcs12
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.pkcs12 import Profile

SETTLED = Path(__file__).parents[5] / "shared" / "golden" / "settled.json"
pytestmark = pytest.mark.skipif(not SETTLED.exists(), reason="the golden objects are not beside this checkout")

STORES = [
    ("keystores", b"changeit", Profile.MODERN_2023, "mykey"),
    ("keystores-legacy", b"literalpw", Profile.LEGACY_DES, "certificate"),
]


class Metadata(msgspec.Struct):
    name: str


class Kind(msgspec.Struct):
    kind: str
    metadata: Metadata


class Secret(msgspec.Struct):
    data: dict[str, bytes]


class Items(msgspec.Struct):
    items: list[msgspec.Raw]


def secret(name: str) -> dict[str, bytes]:
    for raw in msgspec.json.decode(SETTLED.read_bytes(), type=Items).items:
        if msgspec.json.decode(raw, type=Kind) == Kind("Secret", Metadata(name)):
            return msgspec.json.decode(raw, type=Secret).data
    raise AssertionError(name)


def entry_of(data: dict[str, bytes]) -> KeyEntry:
    chain, authorities = (pem.split_certificates(data[key], key) for key in ("tls.crt", "ca.crt"))
    return KeyEntry(parse_private_key(data["tls.key"]), tuple(chain), tuple(authorities))


def parts(element: der.Element) -> list[der.Element]:
    return der.children(element.content)


def within(info: der.Element) -> der.Element:
    """What a ContentInfo holds."""
    return der.read(parts(info)[1].content)


def salts(identifier: der.Element) -> Iterator[bytes]:
    first, second = parts(parts(identifier)[1])
    if first.tag == der.OCTET_STRING:
        yield first.content
        return
    yield parts(parts(first)[1])[0].content
    yield parts(second)[1].content


def encrypted(store: bytes) -> Iterator[tuple[der.Element, bytes]]:
    """The algorithm and the octets of the key, where there is one, and of the certificates."""
    infos = der.children(der.read(within(parts(der.read(store))[1]).content).content)
    for info in infos[1:]:
        [bag] = der.children(der.read(within(info).content).content)
        identifier, hidden = parts(within(bag))
        yield identifier, hidden.content + parts(bag)[2].raw
    _, identifier, hidden = parts(parts(within(infos[0]))[1])
    yield identifier, hidden.content


def replayed(store: bytes) -> Iterator[bytes]:
    for identifier, _ in encrypted(store):
        yield from salts(identifier)
    yield parts(parts(der.read(store))[2])[1].content


@pytest.mark.parametrize(("name", "password", "profile", "alias"), STORES)
def test_a_pkcs12_encrypts_the_same_bags(name: str, password: bytes, profile: Profile, alias: str) -> None:
    data = secret(name)
    entry, keys, trusted = entry_of(data), data["keystore.p12"], data["truststore.p12"]

    key_salts, trust_salts = replayed(keys), replayed(trusted)
    store = pkcs12.write_keystore(entry, password, profile, lambda _: next(key_salts))
    trust = pkcs12.write_truststore(entry.authorities, password, profile, lambda _: next(trust_salts))

    assert [hidden for _, hidden in encrypted(store)] == [hidden for _, hidden in encrypted(keys)]
    assert [hidden for _, hidden in encrypted(trust)] == [hidden for _, hidden in encrypted(trusted)]


@pytest.mark.parametrize(("name", "password", "profile", "alias"), STORES)
def test_a_jks_differs_in_the_word_for_x509_only(name: str, password: bytes, profile: Profile, alias: str) -> None:
    data = secret(name)
    theirs = data["keystore.jks"]
    at = theirs.index(alias.encode()) + len(alias)
    created = datetime.fromtimestamp(int.from_bytes(theirs[at : at + 8], "big") / 1000, UTC)
    size = int.from_bytes(theirs[at + 8 : at + 12], "big")
    salt = parts(der.read(theirs[at + 12 : at + 12 + size]))[1].content[:20]

    ours = jks.write_keystore(entry_of(data), password, created, alias, lambda _: salt)

    assert ours[:-20].replace(b"\x00\x05X.509", b"\x00\x04X509") == theirs[:-20]
