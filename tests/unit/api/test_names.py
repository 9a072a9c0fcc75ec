"""Names of CertificateRequests, Orders and Challenges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from certwright.api.acme_v1 import ChallengeSpec, OrderSpec
from certwright.api.meta import from_json
from certwright.api.names import (
    certificate_request_generate_name,
    certificate_request_name,
    challenge_name,
    fnv1_32,
    go_json,
    hashed_challenge,
    hashed_order,
    order_name,
    shorten,
)

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "spec" / "hash-vectors.json"
Plain = dict[str, Any]  # JSON of a test case

CHALLENGE: Plain = {
    "url": "https://acme/1",
    "authorizationURL": "https://acme/2",
    "dnsName": "example.com",
    "type": "DNS-01",
    "token": "t",
    "key": "k",
    "issuerRef": {"name": "acme"},
}


def vectors(kind: str) -> list[Plain]:
    if not VECTORS.exists():
        pytest.skip("needs hash-vectors.json beside the checkout")
    return [vector for vector in json.loads(VECTORS.read_text()) if vector["kind"] == kind]


def test_observed_orders_are_named_alike() -> None:
    for vector in vectors("Order"):
        spec = from_json(OrderSpec, json.loads(vector["hashed_json"]) | {"request": "cGVt"})

        assert go_json(hashed_order(spec)).decode() == vector["hashed_json"]
        assert order_name(vector["prefix"], spec) == vector["name"]


def test_observed_challenges_are_named_alike() -> None:
    for vector in vectors("Challenge"):
        spec = from_json(ChallengeSpec, json.loads(vector["hashed_json"]) | {"key": "already known"})

        assert go_json(hashed_challenge(spec)).decode() == vector["hashed_json"]
        assert challenge_name(vector["prefix"], spec) == vector["name"]


def test_an_order_of_the_specification() -> None:
    spec = from_json(OrderSpec, {"request": "cGVt", "issuerRef": {"name": "acme"}, "dnsNames": ["http.bench.test"]})

    assert order_name("acme-http-1", spec) == "acme-http-1-1929434089"


def test_a_long_request_name_is_hashed_and_cut() -> None:
    spec = from_json(OrderSpec, {"request": "cGVt", "issuerRef": {"name": "acme"}})
    name = "a" * 51 + "-bcd-1"

    found = order_name(name, spec)

    hashed: Plain = {"certificateRequestName": name, "spec": {"request": None, "issuerRef": {"name": "acme"}}}
    assert found == "a" * 51 + f"-{fnv1_32(go_json(hashed))}"


@pytest.mark.parametrize(
    ("solver", "hashed"),
    [
        (
            {"dns01": {"route53": {"region": "eu"}}},
            '{"route53":{"secretAccessKeySecretRef":{"name":""},"region":"eu"}}',
        ),
        (
            {"dns01": {"rfc2136": {"nameserver": "10.0.0.1", "protocol": "TCP"}}},
            '{"rfc2136":{"nameserver":"10.0.0.1","tsigSecretSecretRef":{"name":""},"protocol":"TCP"}}',
        ),
        (
            {"dns01": {"webhook": {"solverName": "s", "groupName": "g", "config": {"b": [1], "a": None}}}},
            '{"webhook":{"groupName":"g","solverName":"s","config":{"a":null,"b":[1]}}}',
        ),
        ({"http01": {"ingress": {}}}, '{"ingress":{}}'),
        (
            {"http01": {"ingress": {"podTemplate": {}, "ingressTemplate": {}, "class": "nginx"}}},
            '{"ingress":{"class":"nginx","podTemplate":{"metadata":{},"spec":{}},"ingressTemplate":{"metadata":{}}}}',
        ),
        (
            {
                "http01": {
                    "ingress": {"podTemplate": {"spec": {"resources": {"limits": {"memory": "0.5Gi", "cpu": 1}}}}}
                }
            },
            '{"ingress":{"podTemplate":{"metadata":{},"spec":{"resources":{"limits":{"cpu":"1","memory":"512Mi"}}}}}}',
        ),
        (
            {"http01": {"gatewayHTTPRoute": {"labels": {"b": "<&>", "a": "ä"}, "parentRefs": [{"name": "gw"}]}}},
            '{"gatewayHTTPRoute":{"labels":{"a":"ä","b":"\\u003c\\u0026\\u003e"},"parentRefs":[{"name":"gw"}]}}',
        ),
    ],
)
def test_solvers_are_hashed_as_go_writes_them(solver: Plain, hashed: str) -> None:
    spec = from_json(ChallengeSpec, CHALLENGE | {"solver": solver})

    found = go_json(hashed_challenge(spec)).decode()

    (way,) = solver
    assert f'"solver":{{"{way}":{hashed}}},"issuerRef"' in found


def test_durations_are_hashed_in_go_form() -> None:
    order = from_json(OrderSpec, {"request": "", "issuerRef": {"name": "a"}, "duration": "60m"})
    challenge = from_json(ChallengeSpec, CHALLENGE | {"solver": {"dns01": {}, "waitInsteadOfSelfCheck": "90s"}})

    assert hashed_order(order)["duration"] == "1h0m0s"
    assert hashed_challenge(challenge)["solver"] == {"dns01": {}, "waitInsteadOfSelfCheck": "1m30s"}


def test_request_names_carry_the_revision() -> None:
    assert certificate_request_name("web", 3) == "web-3"
    assert certificate_request_name("a" * 233, 1) == "a" * 233 + "-1"


def test_long_request_names_are_cut_and_told_apart() -> None:
    one, other = ("a" * 240 + end for end in "bc")

    names = certificate_request_name(one, 1), certificate_request_name(other, 1)

    assert names[0] != names[1]
    assert all(name.startswith("a" * 168 + "-") and len(name) == 168 + 1 + 64 + 2 for name in names)


def test_generate_names_leave_room() -> None:
    assert certificate_request_generate_name("a" * 60) == "a" * 52 + "-"


@pytest.mark.parametrize(
    ("name", "length", "short"),
    [("abc", 4, "abc"), ("abcd", 4, "abcd"), ("abc-d", 4, "abc"), ("ab.-d", 4, "ab"), ("abcde", 4, "abcd")],
)
def test_names_are_cut_after_a_letter_or_digit(name: str, length: int, short: str) -> None:
    assert shorten(name, length) == short


def test_fnv1_is_not_fnv1a() -> None:
    """Test vectors of the FNV authors."""
    assert fnv1_32(b"") == 0x811C9DC5
    assert fnv1_32(b"a") == 0x050C5D7E
    assert fnv1_32(b"foobar") == 0x31F0B262
