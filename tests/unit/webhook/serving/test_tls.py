"""TLS by the words of the flags."""

from __future__ import annotations

import ssl

import pytest

from certwright.webhook.serving.tls import CIPHER_SUITES, server_context


def names(context: ssl.SSLContext) -> set[str]:
    return {str(cipher["name"]) for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2"}


def test_the_defaults_are_tls_1_2_and_strong_suites() -> None:
    assert server_context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_suites_are_chosen_by_the_names_of_go() -> None:
    found = server_context(
        cipher_suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
    )

    assert names(found) == {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}
    assert len(names(server_context(cipher_suites=CIPHER_SUITES))) == 6


def test_suites_of_tls_1_3_alone_leave_no_other_version() -> None:
    assert server_context(cipher_suites=("TLS_AES_128_GCM_SHA256",)).minimum_version is ssl.TLSVersion.TLSv1_3
    assert server_context("VersionTLS13").minimum_version is ssl.TLSVersion.TLSv1_3


def test_what_is_not_offered_is_named() -> None:
    with pytest.raises(ValueError, match="VersionTLS10"):
        server_context("VersionTLS10")
    with pytest.raises(ValueError, match="TLS_RSA_WITH_RC4_128_SHA"):
        server_context(cipher_suites=("TLS_RSA_WITH_RC4_128_SHA",))
