"""Adding a path to an Ingress of the user's and taking it away leaves what was there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.patches import PatchTestFailed, apply_json_patch
from certwright.solvers.http01.edit_in_place import operations_to_add, operations_to_remove

HOST = "shop.example.test"
OURS: JSONObject = {
    "path": "/.well-known/acme-challenge/token",
    "pathType": "Exact",
    "backend": {"service": {"name": "cm-acme-http-solver-nodeport", "port": {"number": 8089}}},
}
SHOP: JSONObject = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}
CART: JSONObject = {**SHOP, "path": "/cart"}
DEFAULT: JSONObject = {"service": {"name": "default", "port": {"number": 80}}}


def _rule(host: str, *paths: JSON) -> JSONObject:
    return {"host": host, "http": {"paths": list(paths)}} if host else {"http": {"paths": list(paths)}}


def _ingress(spec: JSONObject, version: str = "7") -> JSONObject:
    return {"metadata": {"name": "shop", "resourceVersion": version}, "spec": spec}


def _added(spec: JSONObject, host: str = HOST, path: JSONObject = OURS) -> JSON:
    after = apply_json_patch(_ingress(spec), list(operations_to_add("7", spec, host, path)))
    assert isinstance(after, dict)
    return after["spec"]


def _removed(spec: JSON) -> JSON:
    assert isinstance(spec, dict)
    after = apply_json_patch(_ingress(spec), list(operations_to_remove("7", spec, "/.well-known/acme-challenge/token")))
    assert isinstance(after, dict)
    return after["spec"]


def test_the_path_comes_first_among_those_of_its_host() -> None:
    spec: JSONObject = {"rules": [_rule("other.test", SHOP), _rule(HOST, SHOP, CART)], "tls": [{"hosts": [HOST]}]}

    assert _added(spec) == {
        "rules": [_rule("other.test", SHOP), _rule(HOST, OURS, SHOP, CART)],
        "tls": [{"hosts": [HOST]}],
    }


def test_a_host_without_a_rule_gets_one() -> None:
    assert _added({"rules": [_rule("other.test", SHOP)]}) == {"rules": [_rule("other.test", SHOP), _rule(HOST, OURS)]}


def test_an_ingress_without_rules_gets_the_first_one() -> None:
    assert _added({"defaultBackend": DEFAULT}) == {"defaultBackend": DEFAULT, "rules": [_rule(HOST, OURS)]}


def test_an_ip_address_is_served_by_the_rule_of_every_host() -> None:
    assert _added({"rules": [_rule(HOST, CART), _rule("", SHOP)]}, host="") == {
        "rules": [_rule(HOST, CART), _rule("", OURS, SHOP)]
    }


def test_adding_again_does_nothing() -> None:
    assert operations_to_add("7", {"rules": [_rule(HOST, OURS, SHOP)]}, HOST, OURS) == []


def test_the_same_path_with_another_backend_is_overwritten() -> None:
    old: JSONObject = {**OURS, "backend": DEFAULT}

    assert _added({"rules": [_rule(HOST, SHOP, old)]}) == {"rules": [_rule(HOST, SHOP, OURS)]}


def test_removing_what_is_not_there_does_nothing() -> None:
    assert operations_to_remove("7", {"rules": [_rule(HOST, SHOP)]}, "/.well-known/acme-challenge/token") == []
    assert operations_to_remove("7", {}, "/.well-known/acme-challenge/token") == []


def test_challenges_of_others_stay() -> None:
    other: JSONObject = {**OURS, "path": "/.well-known/acme-challenge/other"}

    assert _removed({"rules": [_rule(HOST, OURS, other), _rule("b.test", OURS)]}) == {"rules": [_rule(HOST, other)]}


def test_a_path_that_is_there_twice_goes_twice() -> None:
    assert _removed({"rules": [_rule(HOST, OURS, SHOP, OURS), _rule("b.test", SHOP, OURS)]}) == {
        "rules": [_rule(HOST, SHOP), _rule("b.test", SHOP)]
    }


def test_an_ingress_that_lost_everything_else_stays_valid() -> None:
    """The API asks for rules or a default backend; without the latter an empty rule has to stay."""
    assert _removed({"rules": [_rule(HOST, OURS)]}) == {"rules": [{"host": HOST}]}
    assert _removed({"rules": [_rule(HOST, OURS), _rule("b.test", OURS)]}) == {"rules": [{"host": HOST}]}


def test_a_change_of_others_meanwhile_is_noticed() -> None:
    spec: JSONObject = {"rules": [_rule(HOST, SHOP)]}
    operations = operations_to_add("7", spec, HOST, OURS)

    with pytest.raises(PatchTestFailed):
        apply_json_patch(_ingress(spec, version="8"), list(operations))


RULES = st.lists(
    st.builds(
        lambda host, paths: _rule(host, *paths) if paths is not None else ({"host": host} if host else {}),
        st.sampled_from([HOST, "a.test", ""]),
        st.none() | st.lists(st.sampled_from([SHOP, CART]), min_size=1, max_size=3),
    ),
    max_size=4,
)


@given(rules=RULES, host=st.sampled_from([HOST, "a.test", "new.test", ""]))
def test_removing_restores_exactly_what_was(rules: list[JSON], host: str) -> None:
    spec: JSONObject = {"rules": rules} if rules else {"defaultBackend": DEFAULT}

    added = _added(spec, host)

    assert added != spec
    assert _removed(added) == spec
