"""The chain in the target Secret of a legacy Certificate, which v0.5 made longer than v1 does."""

from __future__ import annotations

from certwright.pki import pem


def legacy_chain(chain_pem: bytes, ca_pem: bytes, *, from_ca_issuer: bool) -> bytes:
    """`tls.crt`: as the issuer gave it; from a CA issuer always the leaf and its CA, also where that is the root."""
    if not from_ca_issuer or not ca_pem:
        return chain_pem
    chain, above = pem.split_certificates(chain_pem, "the chain"), pem.split_certificates(ca_pem, "the CA")
    return chain_pem if len(chain) > 1 or above[:1] == chain else chain_pem + ca_pem
