from __future__ import annotations

import pytest

from certwright.pki.keystores.rc2 import encrypt_cbc, expand_key


@pytest.mark.parametrize(
    ("key", "bits", "plain", "hidden"),
    [
        ("0000000000000000", 63, "0000000000000000", "ebb773f993278eff"),
        ("ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"),
        ("3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"),
        ("88", 64, "0000000000000000", "61a8a244adacccf0"),
        ("88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"),
        ("88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"),
    ],
)
def test_the_vectors_of_rfc_2268(key: str, bits: int, plain: str, hidden: str) -> None:
    words = expand_key(bytes.fromhex(key), bits)

    assert encrypt_cbc(words, bytes(8), bytes.fromhex(plain)).hex() == hidden


def test_a_block_depends_on_the_one_before() -> None:
    words = expand_key(b"12345", 40)

    one, other = encrypt_cbc(words, b"a" * 8, bytes(16)), encrypt_cbc(words, b"b" * 8, bytes(16))

    assert one[:8] != one[8:] != other[8:]
