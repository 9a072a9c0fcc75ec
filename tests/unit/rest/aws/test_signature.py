"""The signature is that of AWS's own examples."""

from __future__ import annotations

from datetime import UTC, datetime

from certwright.rest import SecretText
from certwright.rest.aws.signature import AwsKeys, AwsRequest, Scope, sign

# The credentials, the time and the scope of AWS's published test suite for signature version 4.
KEYS = AwsKeys(access_key_id="AKIDEXAMPLE", secret_access_key=SecretText("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
NOW = datetime(2015, 8, 30, 12, 36, 0, tzinfo=UTC)
SCOPE = Scope("us-east-1", "service")
HOST = "example.amazonaws.com"


def authorization(request: AwsRequest, scope: Scope = SCOPE, keys: AwsKeys = KEYS) -> str:
    found = sign(request, keys, scope, NOW)["Authorization"]
    assert isinstance(found, SecretText)
    return found.reveal()


def test_a_plain_get() -> None:
    """`get-vanilla` of the suite."""
    said = authorization(AwsRequest(method="GET", host=HOST))

    assert said == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_a_query_is_sorted() -> None:
    """`get-vanilla-query-order-key-case` of the suite."""
    query = (("Param2", "value2"), ("Param1", "value1"))

    said = authorization(AwsRequest(method="GET", host=HOST, query=query))

    assert said.endswith("Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")


def test_a_form_is_signed_with_its_type() -> None:
    """`post-x-www-form-urlencoded` of the suite."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    said = authorization(AwsRequest(method="POST", host=HOST, headers=headers, body=b"Param1=value1"))

    assert "SignedHeaders=content-type;host;x-amz-date" in said
    assert said.endswith("Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")


def test_the_example_of_the_guide() -> None:
    """The request to IAM that AWS's guide to signing goes through step by step."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    query = (("Action", "ListUsers"), ("Version", "2010-05-08"))

    said = authorization(
        AwsRequest(method="GET", host="iam.amazonaws.com", query=query, headers=headers), Scope("us-east-1", "iam")
    )

    assert said.endswith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


def test_temporary_credentials_are_sent_and_signed() -> None:
    keys = AwsKeys(
        access_key_id="ASIA", secret_access_key=SecretText("secret-key"), session_token=SecretText("session-token")
    )

    headers = sign(AwsRequest(method="GET", host=HOST), keys, SCOPE, NOW)

    assert headers["X-Amz-Security-Token"] == SecretText("session-token")
    assert "host;x-amz-date;x-amz-security-token" in authorization(AwsRequest(method="GET", host=HOST), keys=keys)


def test_nothing_secret_shows() -> None:
    headers = sign(AwsRequest(method="GET", host=HOST), KEYS, SCOPE, NOW)

    assert "wJalr" not in repr(KEYS)
    assert "Signature=" not in repr(headers)
