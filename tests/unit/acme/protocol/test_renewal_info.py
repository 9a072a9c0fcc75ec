from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol.messages import Window
from certwright.acme.protocol.renewal_info import certificate_id, renewal_moment, serial_bytes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# RFC 9773 section 4.1
KEY_ID = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")


def certificate(serial: int, extension: x509.ExtensionType | None) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256())


def test_the_certificate_of_rfc_9773() -> None:
    found = certificate(0x87654321, x509.AuthorityKeyIdentifier(KEY_ID, None, None))

    assert certificate_id(found) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


@pytest.mark.parametrize(
    "extension",
    [
        None,
        x509.AuthorityKeyIdentifier(None, [x509.DNSName("ca.test")], 5),
        x509.AuthorityKeyIdentifier(b"", None, None),
    ],
)
def test_a_certificate_without_key_identifier_has_no_name(extension: x509.ExtensionType | None) -> None:
    assert certificate_id(certificate(1, extension)) is None


@settings(deadline=None)
@given(st.integers(1, 2**159 - 1))
def test_the_serial_is_the_shortest_positive_integer_of_der(serial: int) -> None:
    octets = serial_bytes(serial)

    assert int.from_bytes(octets, "big", signed=True) == serial
    assert len(octets) == 1 or octets[0] or octets[1] & 0x80


@settings(deadline=None)
@given(st.floats(0, 1))
def test_the_moment_lies_in_the_window(fraction: float) -> None:
    window = Window(NOW, NOW + timedelta(days=2))

    assert window.start <= renewal_moment(window, fraction) <= window.end
