"""OpenSSL as a judge of requests and certificates."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from tests.integration.specs.issued import NOW, Issued, authority

from certwright.pki import pem

_MOMENT = str(int(NOW.timestamp()) + 60)


def judge(seen: Sequence[Issued], folder: Path) -> list[str]:
    """What OpenSSL does not take: of each request, each leaf under its CA, each self-signed certificate."""
    (folder / "root.pem").write_bytes(authority().chain.chain_pem)
    names = []
    texts = bytearray()
    wrong = []
    for number, issued in enumerate(seen):
        request = openssl("req", "-verify", "-text", "-noout", given=issued.csr)
        if b"verify OK" not in request or b"Certificate Request:" not in request:
            wrong.append(f"request {number}: {request.decode('utf-8', 'replace')}")
        leaf, own = pem.split_certificates(issued.chain, "the chain")
        (folder / f"{number}-leaf.pem").write_bytes(pem.write_certificates([leaf]))
        texts += issued.chain
        signed_by_itself = x509.load_der_x509_certificate(own)
        # The command wants a self-signed certificate to be a CA; its library does not.
        signed_by_itself.verify_directly_issued_by(signed_by_itself)
        names.append(number)
    wrong += _verified([f"{number}-leaf.pem" for number in names], folder)
    (folder / "all.pem").write_bytes(texts)
    listed = openssl("storeutl", "-certs", "-text", "-noout", "all.pem", folder=folder)
    if listed.count(b"Certificate:") < 2 * len(seen) or b"Error" in listed:
        wrong.append(f"of {2 * len(seen)} certificates the text of {listed.count(b'Certificate:')} was written")
    return wrong


def _verified(names: list[str], folder: Path) -> list[str]:
    wrong = []
    for at in range(0, len(names), 500):
        some = names[at : at + 500]
        answer = openssl("verify", "-attime", _MOMENT, "-CAfile", "root.pem", *some, folder=folder)
        good = {
            line.partition(":")[0] for line in answer.decode("utf-8", "replace").splitlines() if line.endswith(": OK")
        }
        wrong += [f"{name}: not verified" for name in some if name not in good]
    return wrong


def openssl(*words: str, given: bytes = b"", folder: Path | None = None) -> bytes:
    """Output and complaints of one of its commands."""
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=False, cwd=folder)
    return done.stdout + done.stderr
