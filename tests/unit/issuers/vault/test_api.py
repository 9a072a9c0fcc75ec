"""Paths of Vault's API, and what its refusals mean."""

from __future__ import annotations

import json

import pytest

from certwright.issuers.vault.api import api_path, is_passing, is_unknown_token, words
from certwright.rest import RestError


def refusal(status: int, *errors: str) -> RestError:
    return RestError(status, f"POST https://vault/v1/pki was answered with {status}", body=vault_body(*errors))


def vault_body(*errors: str) -> bytes:
    return json.dumps({"errors": errors}).encode()


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("pki/sign/web", "v1/pki/sign/web"),
        ("/v1/auth/kubernetes/login", "v1/auth/kubernetes/login"),
        ("//pki//sign/web/", "v1/pki/sign/web"),
        ("pki/sign/web?list=true#x", "v1/pki/sign/web%3Flist%3Dtrue%23x"),
        ("pki/%2e%2e/sys", "v1/pki/%252e%252e/sys"),
        ("https://elsewhere.test/", "v1/https:/elsewhere.test"),
    ],
)
def test_a_path_stays_below_the_api(written: str, path: str) -> None:
    assert api_path(written) == path


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (RestError(0, "got no answer"), True),
        (refusal(500, "internal error"), True),
        (refusal(503, "Vault is sealed"), True),
        (refusal(429, "quota exceeded"), True),
        (refusal(412, "required index state not present"), True),
        (refusal(307), True),
        (RestError(404, "not found", body=b"<html>an ingress</html>"), True),
        (refusal(400, "common name not allowed"), False),
        (refusal(403, "permission denied"), False),
        (refusal(404), False),
    ],
)
def test_only_the_word_of_vault_is_final(error: RestError, passing: bool) -> None:
    assert is_passing(error) is passing


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (refusal(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"), True),
        (refusal(403, "bad token"), True),
        (refusal(403, "permission denied"), True),
        (refusal(403, "1 error occurred:\n\t* permission denied\n\n"), False),
        (refusal(403), False),
        (refusal(400, "invalid token"), False),
    ],
)
def test_an_unknown_token_is_told_from_a_policy(error: RestError, unknown: bool) -> None:
    assert is_unknown_token(error) is unknown


def test_only_vault_is_quoted() -> None:
    other = RestError(400, "answered with 400: a secret of the metadata service", body=b'{"message": "a secret"}')

    assert words(refusal(400)) == "POST https://vault/v1/pki was answered with 400"
    assert "a secret" not in words(other)
    assert "spec.vault.server" in words(other)
