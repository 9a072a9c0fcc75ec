"""The RC2 block cipher (RFC 2268), which the PKCS #12 profile LegacyRC2 is named after; it protects nothing today."""

from __future__ import annotations

import struct
from collections.abc import Sequence

BLOCK = 8

_PI = bytes.fromhex(  # RFC 2268 section 2
    "d978f9c419ddb5ed28e9fd794aa0d89d"
    "c67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32"
    "bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc"
    "1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303"
    "f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a"
    "961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039"
    "997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9"
    "d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2e"
    "c5f3db47e5a59c770aa62068fe7fc1ad"
)
_MASHED_AFTER = (4, 10)  # the mixing rounds, of 16, that a mashing round follows


def expand_key(key: bytes, effective_bits: int) -> tuple[int, ...]:
    """The 64 words that a key of 1 to 128 octets becomes, with at most `effective_bits` of strength."""
    buffer = bytearray(key)
    for at in range(len(key), 128):
        buffer.append(_PI[(buffer[at - 1] + buffer[at - len(key)]) & 0xFF])
    size = (effective_bits + 7) // 8
    mask = 0xFF >> (8 * size - effective_bits)
    buffer[128 - size] = _PI[buffer[128 - size] & mask]
    for at in reversed(range(128 - size)):
        buffer[at] = _PI[buffer[at + 1] ^ buffer[at + size]]
    return struct.unpack("<64H", buffer)


def encrypt_cbc(words: Sequence[int], vector: bytes, plain: bytes) -> bytes:
    """CBC over `plain`, whose length is a multiple of 8, with the expanded key."""
    out, last = [], int.from_bytes(vector, "big")
    for at in range(0, len(plain), BLOCK):
        block = _encrypt(words, (int.from_bytes(plain[at : at + BLOCK], "big") ^ last).to_bytes(BLOCK, "big"))
        last = int.from_bytes(block, "big")
        out.append(block)
    return b"".join(out)


def _encrypt(words: Sequence[int], block: bytes) -> bytes:
    a, b, c, d = struct.unpack("<4H", block)
    for number in range(16):
        at = 4 * number
        a = a + words[at] + (d & c) + (~d & b) & 0xFFFF
        a = (a << 1 | a >> 15) & 0xFFFF
        b = b + words[at + 1] + (a & d) + (~a & c) & 0xFFFF
        b = (b << 2 | b >> 14) & 0xFFFF
        c = c + words[at + 2] + (b & a) + (~b & d) & 0xFFFF
        c = (c << 3 | c >> 13) & 0xFFFF
        d = d + words[at + 3] + (c & b) + (~c & a) & 0xFFFF
        d = (d << 5 | d >> 11) & 0xFFFF
        if number in _MASHED_AFTER:
            a = a + words[d & 63] & 0xFFFF
            b = b + words[a & 63] & 0xFFFF
            c = c + words[b & 63] & 0xFFFF
            d = d + words[c & 63] & 0xFFFF
    return struct.pack("<4H", a, b, c, d)
