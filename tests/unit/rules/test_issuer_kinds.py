"""Which kinds of external issuers are told, and what is left as it is."""

from __future__ import annotations

import msgspec
import pytest

from certwright.api.discovery import ServedGroup, ServedGroups
from certwright.api.meta import decode
from certwright.rules.issuer_kinds import MOST, annotation_changes, is_external

AWS, STEP = "awspca.cert-manager.io", "certmanager.step.sm"


def group(name: str, *resources: tuple[str, str, str], freshness: str = "Current") -> ServedGroup:
    """A group in one version, read as the API server writes it."""
    listed = [
        {"resource": plural, "scope": scope, "responseKind": {"group": name, "version": "v1", "kind": kind}}
        for plural, kind, scope in resources
    ]
    version = {"version": "v1", "resources": listed, "freshness": freshness}
    raw = {"items": [{"metadata": {"name": name}, "versions": [version]}]}
    return decode(ServedGroups, msgspec.json.encode(raw)).items[0]


AWS_GROUP = group(
    AWS,
    ("awspcaissuers", "AWSPCAIssuer", "Namespaced"),
    ("awspcaclusterissuers", "AWSPCAClusterIssuer", "Cluster"),
    ("profiles", "Profile", "Namespaced"),
)
AWS_TOLD = {
    f"{AWS}/AWSPCAIssuer": "Namespaced/awspcaissuers",
    f"{AWS}/AWSPCAClusterIssuer": "Cluster/awspcaclusterissuers",
}


@pytest.mark.parametrize(
    ("name", "external"),
    [
        ("", False),
        ("cert-manager.io", False),
        ("certmanager.k8s.io", False),
        ("apps", False),
        ("networking.k8s.io", False),
        (AWS, True),
        ("issuers.x-k8s.io", True),
    ],
)
def test_groups_of_others(name: str, external: bool) -> None:
    assert is_external(name) is external


def test_kinds_that_are_called_issuers_are_told_with_scope_and_plural() -> None:
    ours = group("cert-manager.io", ("issuers", "Issuer", "Namespaced"))

    assert annotation_changes({}, [ours, AWS_GROUP], frozenset()) == AWS_TOLD


def test_other_kinds_are_told_once_a_request_names_them() -> None:
    asked_for = frozenset({f"{AWS}/Profile", f"{AWS}/Nothing"})

    assert annotation_changes(AWS_TOLD, [AWS_GROUP], asked_for) == {f"{AWS}/Profile": "Namespaced/profiles"}


def test_what_was_told_stays_while_it_is_served() -> None:
    present = {**AWS_TOLD, f"{AWS}/Profile": "Namespaced/profiles"}

    assert annotation_changes(present, [AWS_GROUP], frozenset()) == {}


def test_nothing_changes_where_all_is_told() -> None:
    assert annotation_changes({**AWS_TOLD, "meta.helm.sh/release-name": "x"}, [AWS_GROUP], frozenset()) == {}


def test_what_is_served_no_more_goes_and_annotations_of_others_stay() -> None:
    present = {**AWS_TOLD, "meta.helm.sh/release-name": "cert-manager", "example.com/note": "Cluster"}

    assert annotation_changes(present, [], frozenset()) == dict.fromkeys(AWS_TOLD)


def test_a_group_whose_server_is_away_keeps_what_it_had() -> None:
    away = group(AWS, freshness="Stale")

    assert annotation_changes(AWS_TOLD, [away], frozenset()) == {}


def test_a_changed_plural_is_corrected() -> None:
    present = {**AWS_TOLD, f"{AWS}/AWSPCAIssuer": "Namespaced/old"}

    assert annotation_changes(present, [AWS_GROUP], frozenset()) == {f"{AWS}/AWSPCAIssuer": "Namespaced/awspcaissuers"}


def test_a_kind_of_another_group_is_not_told() -> None:
    scale = {
        "items": [
            {
                "metadata": {"name": AWS},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {"resource": "x", "scope": "Namespaced", "responseKind": {"group": "", "kind": "Issuer"}}
                        ],
                    }
                ],
            }
        ]
    }

    assert annotation_changes({}, decode(ServedGroups, msgspec.json.encode(scale)).items, frozenset()) == {}


def test_the_preferred_version_has_the_last_word() -> None:
    new, old = (
        {"version": version, "resources": [{"resource": plural, "scope": "Cluster", "responseKind": kind}]}
        for version, plural, kind in (
            ("v1", "stepissuers", {"group": STEP, "kind": "StepIssuer"}),
            ("v1beta1", "oldissuers", {"group": STEP, "kind": "StepIssuer"}),
        )
    )
    raw = {"items": [{"metadata": {"name": STEP}, "versions": [new, old]}]}

    found = annotation_changes({}, decode(ServedGroups, msgspec.json.encode(raw)).items, frozenset())

    assert found == {f"{STEP}/StepIssuer": "Cluster/stepissuers"}


def test_there_is_a_bound_and_what_requests_name_comes_first() -> None:
    many = group("many.example.com", *((f"issuers{n:04}", f"Issuer{n:04}", "Cluster") for n in range(MOST + 100)))
    last = f"many.example.com/Issuer{MOST + 99:04}"

    found = annotation_changes({}, [many], frozenset({last}))

    assert len(found) == MOST
    assert last in found
