"""The TLS context of the webhook, from the words of its flags."""

from __future__ import annotations

import ssl

MINIMUM_VERSIONS = {"VersionTLS12": ssl.TLSVersion.TLSv1_2, "VersionTLS13": ssl.TLSVersion.TLSv1_3}
# Those of TLS 1.3 are always offered: OpenSSL does not let them be chosen here.
OF_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_OPENSSL_NAMES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
CIPHER_SUITES = (*OF_TLS13, *_OPENSSL_NAMES)


def server_context(minimum: str = "VersionTLS12", cipher_suites: tuple[str, ...] = ()) -> ssl.SSLContext:
    """A context without a certificate; ValueError with a sentence for a word that is not known."""
    if minimum not in MINIMUM_VERSIONS:
        raise ValueError(f"{minimum!r} is not offered; the versions are {', '.join(MINIMUM_VERSIONS)}.")
    unknown = [name for name in cipher_suites if name not in CIPHER_SUITES]
    if unknown:
        raise ValueError(f"the cipher suite {unknown[0]!r} is not offered; known are {', '.join(CIPHER_SUITES)}.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = MINIMUM_VERSIONS[minimum]
    chosen = [_OPENSSL_NAMES[name] for name in cipher_suites if name in _OPENSSL_NAMES]
    if chosen:
        context.set_ciphers(":".join(chosen))
    elif cipher_suites:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
