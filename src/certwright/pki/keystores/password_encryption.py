"""How PKCS #12 turns a password into keys: PBES1 and its MAC (RFC 7292), PBES2 (RFC 8018) and PBMAC1 (RFC 9579)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from certwright.pki import der
from certwright.pki.keystores import rc2

ROUNDS = 2048

_KEY_PURPOSE, _VECTOR_PURPOSE, _MAC_PURPOSE = 1, 2, 3  # RFC 7292 appendix B.3
_HASH_BLOCK = 64  # of SHA-1 and of SHA-256
_RC2_40, _TRIPLE_DES = "1.2.840.113549.1.12.1.6", "1.2.840.113549.1.12.1.3"
_PBKDF2, _PBES2, _PBMAC1 = "1.2.840.113549.1.5.12", "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.14"
_HMAC_SHA256, _AES256_CBC = "1.2.840.113549.2.9", "2.16.840.1.101.3.4.1.42"
_DIGESTS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}

Random = Callable[[int], bytes]
# From a password (UTF-8), what to encrypt, and randomness: the AlgorithmIdentifier, and the encrypted octets.
Encrypt = Callable[[str, bytes, Random], tuple[bytes, bytes]]
# From a password and the octets to protect: the MacData.
Authenticate = Callable[[str, bytes, Random], bytes]


def encrypt_rc2(password: str, plain: bytes, random: Random) -> tuple[bytes, bytes]:
    """PBES1 with RC2 of 40 bits."""
    salt = random(8)
    key = _derive("sha1", _KEY_PURPOSE, password, (salt, ROUNDS), 5)
    vector = _derive("sha1", _VECTOR_PURPOSE, password, (salt, ROUNDS), rc2.BLOCK)
    hidden = rc2.encrypt_cbc(rc2.expand_key(key, 40), vector, _padded(plain, rc2.BLOCK))
    return _pbes1(_RC2_40, salt), hidden


def encrypt_triple_des(password: str, plain: bytes, random: Random) -> tuple[bytes, bytes]:
    """PBES1 with 3DES of three keys."""
    salt = random(8)
    key = _derive("sha1", _KEY_PURPOSE, password, (salt, ROUNDS), 24)
    vector = _derive("sha1", _VECTOR_PURPOSE, password, (salt, ROUNDS), 8)
    return _pbes1(_TRIPLE_DES, salt), _cbc(TripleDES(key), vector, _padded(plain, 8))


def encrypt_aes(password: str, plain: bytes, random: Random) -> tuple[bytes, bytes]:
    """PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC."""
    salt, vector = random(16), random(16)
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS, 32)
    scheme = der.sequence(der.oid(_AES256_CBC), der.octets(vector))
    identifier = der.sequence(der.oid(_PBES2), der.sequence(_pbkdf2(salt), scheme))
    return identifier, _cbc(AES(key), vector, _padded(plain, 16))


def mac_sha1(password: str, content: bytes, random: Random) -> bytes:
    """The MAC of RFC 7292 with SHA-1 and one round, as the legacy profiles have it."""
    return _mac("sha1", password, content, (random(8), 1))


def mac_sha256(password: str, content: bytes, random: Random) -> bytes:
    """The MAC of RFC 7292 with SHA-256."""
    return _mac("sha256", password, content, (random(16), ROUNDS))


def mac_pbmac1(password: str, content: bytes, random: Random) -> bytes:
    """PBMAC1 with PBKDF2-HMAC-SHA-256 and HMAC-SHA-256 (RFC 9579)."""
    salt = random(16)
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS, 32)
    # RFC 9579 section 5 asks for the length of the key, which PBES2 leaves to the cipher.
    parameters = der.sequence(_pbkdf2(salt, length=32), _hmac_sha256())
    digest = hmac.digest(key, content, "sha256")
    info = der.sequence(der.sequence(der.oid(_PBMAC1), parameters), der.octets(digest))
    return der.sequence(info, der.octets(b"NOT USED"))


def _mac(name: str, password: str, content: bytes, strength: tuple[bytes, int]) -> bytes:
    salt, rounds = strength
    key = _derive(name, _MAC_PURPOSE, password, strength, _HASHES[name](usedforsecurity=False).digest_size)
    digest = hmac.digest(key, content, name)
    info = der.sequence(der.sequence(der.oid(_DIGESTS[name]), der.NULL_VALUE), der.octets(digest))
    # DER leaves out a value that is the default, and one round is.
    return der.sequence(info, der.octets(salt), der.integer(rounds) if rounds > 1 else b"")


def _derive(name: str, purpose: int, password: str, strength: tuple[bytes, int], size: int) -> bytes:
    """RFC 7292 appendix B.2."""
    salt, rounds = strength
    secret = password.encode("utf-16-be") + b"\0\0"
    hashed = _HASHES[name]
    inputs = _filled(salt) + _filled(secret)
    out = b""
    while len(out) < size:
        digest = bytes([purpose]) * _HASH_BLOCK + inputs
        for _ in range(rounds):
            digest = hashed(digest, usedforsecurity=False).digest()
        out += digest
        inputs = _added(inputs, _filled(digest, _HASH_BLOCK))
    return out[:size]


def _filled(octets: bytes, size: int = 0) -> bytes:
    size = size or -(-len(octets) // _HASH_BLOCK) * _HASH_BLOCK
    return (octets * (size // len(octets) + 1))[:size]


def _added(inputs: bytes, block: bytes) -> bytes:
    number = int.from_bytes(block, "big") + 1
    parts = (inputs[at : at + _HASH_BLOCK] for at in range(0, len(inputs), _HASH_BLOCK))
    sums = ((int.from_bytes(part, "big") + number) % (1 << 8 * _HASH_BLOCK) for part in parts)
    return b"".join(value.to_bytes(_HASH_BLOCK, "big") for value in sums)


def _cbc(algorithm: CipherAlgorithm, vector: bytes, padded: bytes) -> bytes:
    encryptor = Cipher(algorithm, CBC(vector)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def _padded(plain: bytes, block: int) -> bytes:
    count = block - len(plain) % block
    return plain + bytes([count]) * count


def _pbes1(scheme: str, salt: bytes) -> bytes:
    return der.sequence(der.oid(scheme), der.sequence(der.octets(salt), der.integer(ROUNDS)))


def _pbkdf2(salt: bytes, length: int | None = None) -> bytes:
    size = b"" if length is None else der.integer(length)
    return der.sequence(der.oid(_PBKDF2), der.sequence(der.octets(salt), der.integer(ROUNDS), size, _hmac_sha256()))


def _hmac_sha256() -> bytes:
    return der.sequence(der.oid(_HMAC_SHA256), der.NULL_VALUE)
