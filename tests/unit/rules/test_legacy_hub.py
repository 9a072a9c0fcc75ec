"""Legacy objects in the hub: defaults of 2018, issuer look-up across groups, and problems that a person must mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.kinds import LEGACY_CERTIFICATE, LEGACY_ISSUER
from certwright.api.meta import ObjectReference, from_json
from certwright.pki.keys import KeyAlgorithm, KeySpec
from certwright.rules.hub import Dialect, HubCertificate, HubIssuer, IssuerKey, modern_issuer
from certwright.rules.legacy_hub import (
    LegacyDefaults,
    chosen_issuer,
    issuer_keys,
    legacy_certificate,
    legacy_issuer,
    with_present_key,
)
from certwright.rules.legacy_plan import has_own_solvers

Plain = dict[str, Any]  # JSON of a test case

CLOUDFLARE: Plain = {"email": "e", "apiKeySecretRef": {"name": "s", "key": "k"}}
ACME: Plain = {"server": "https://acme", "privateKeySecretRef": {"name": "k"}}
PROVIDERS: Plain = {"dns01": {"providers": [{"name": "p", "cloudflare": CLOUDFLARE}]}}
OWN: Plain = {"solvers": [{"http01": {"ingress": {}}}]}
CERTIFICATE: Plain = {"secretName": "s", "issuerRef": {"name": "i"}, "dnsNames": ["a.example.com"]}


def issuer(spec: Plain, status: Plain | None = None) -> HubIssuer:
    body = {"metadata": {"name": "i", "namespace": "ns", "generation": 3}, "spec": spec, "status": status or {}}
    return legacy_issuer(IssuerKey(Dialect.LEGACY, "Issuer", "ns", "i"), LEGACY_ISSUER.read(msgspec.json.encode(body)))


def modern(spec: Plain, name: str = "i") -> HubIssuer:
    return modern_issuer(from_json(cm.Issuer, {"metadata": {"name": name, "namespace": "ns"}, "spec": spec}))


def certificate(changes: Plain, found: HubIssuer | None = None, status: Plain | None = None) -> HubCertificate:
    body = {
        "metadata": {"name": "c", "namespace": "ns", "generation": 2},
        "spec": CERTIFICATE | changes,
        "status": status or {},
    }
    return legacy_certificate(LEGACY_CERTIFICATE.read(msgspec.json.encode(body)), found, LegacyDefaults())


def plan(*entries: Plain) -> Plain:
    return {"acme": {"config": list(entries)}}


class TestIssuer:
    def test_named_providers_and_plain_http01_are_kept_beside_the_static_form(self) -> None:
        found = issuer({"acme": ACME | PROVIDERS | {"http01": {"serviceType": "ClusterIP"}}})

        assert found.problem == ""
        assert found.named_solvers["p"].cloudflare is not None
        assert found.plain_http01 is not None
        assert found.plain_http01.service_type == "ClusterIP"
        assert found.spec.acme is not None
        assert len(found.spec.acme.solvers) == 2

    def test_only_solvers_of_v08_count_as_its_own(self) -> None:
        old = issuer({"acme": ACME | PROVIDERS | {"http01": {}}})
        both = issuer({"acme": ACME | PROVIDERS | OWN})

        assert (has_own_solvers(old), has_own_solvers(both)) == (False, True)

    def test_a_bad_spec_is_a_config_error(self) -> None:
        found = issuer({"ca": {}})

        assert found.problem_reason == "ConfigError"
        assert found.problem == ("Resource validation failed: spec.ca.secretName: Required value: must be specified")

    def test_an_unreadable_one_keeps_its_conditions(self) -> None:
        condition = {"type": "Ready", "status": "False", "reason": "ConfigError"}
        found = issuer({"ca": {"secretName": 5}}, {"conditions": [condition]})

        assert found.problem.startswith("Resource validation failed: spec.ca.secretName: Invalid value: must be a str")
        assert found.ready is not None
        assert found.ready.reason == "ConfigError"

    def test_a_server_of_before_rfc_8555_is_an_invalid_config(self) -> None:
        found = issuer({"acme": ACME | {"server": "https://acme-staging.api.letsencrypt.org/directory"}})

        assert found.problem_reason == "InvalidConfig"

    def test_the_account_is_read_from_both_places(self) -> None:
        status = {"acme": {"uri": "https://acme/1"}, "registration": {"email": "e", "privateKeyHash": "h"}}
        found = issuer({"acme": ACME}, status).status.acme

        assert found is not None
        assert (found.uri, found.last_registered_email, found.last_private_key_hash) == ("https://acme/1", "e", "h")


class TestLookUp:
    @pytest.mark.parametrize(
        ("ref", "dialects"),
        [
            ({"name": "i"}, [Dialect.LEGACY, Dialect.MODERN]),
            ({"name": "i", "group": "certmanager.k8s.io"}, [Dialect.LEGACY, Dialect.MODERN]),
            ({"name": "i", "group": "cert-manager.io"}, [Dialect.MODERN]),
            ({"name": "i", "group": "example.com"}, []),
        ],
    )
    def test_the_group_says_where_to_look(self, ref: Plain, dialects: list[Dialect]) -> None:
        spec = legacy.decode_certificate({"spec": {"issuerRef": ref}}).spec

        assert [key.dialect for key in issuer_keys(spec, "ns")] == dialects

    def test_a_cluster_issuer_has_no_namespace(self) -> None:
        spec = legacy.decode_certificate({"spec": {"issuerRef": {"name": "i", "kind": "ClusterIssuer"}}}).spec

        assert {key.namespace for key in issuer_keys(spec, "ns")} == {""}

    @pytest.mark.parametrize(
        ("group", "with_plan", "present", "chosen"),
        [
            ("", False, {Dialect.LEGACY: {"acme": ACME}, Dialect.MODERN: {"acme": ACME}}, Dialect.LEGACY),
            ("", False, {Dialect.MODERN: {"acme": ACME}}, Dialect.MODERN),
            ("", True, {Dialect.MODERN: {"acme": ACME}}, None),
            ("", True, {Dialect.MODERN: {"selfSigned": {}}}, Dialect.MODERN),
            ("cert-manager.io", True, {Dialect.MODERN: {"acme": ACME}}, Dialect.MODERN),
            ("cert-manager.io", False, {Dialect.LEGACY: {"acme": ACME}}, None),
            ("", False, {}, None),
        ],
    )
    def test_the_modern_one_stands_in_where_no_solver_choice_is_asked(
        self, group: str, with_plan: bool, present: Mapping[Dialect, Plain], chosen: Dialect | None
    ) -> None:
        acme = plan({"domains": ["a.example.com"], "http01": {}}) if with_plan else {}
        spec = legacy.decode_certificate({"spec": CERTIFICATE | {"issuerRef": {"name": "i", "group": group}} | acme})
        makers: dict[Dialect, Callable[[Plain], HubIssuer]] = {Dialect.LEGACY: issuer, Dialect.MODERN: modern}

        found = chosen_issuer(
            spec.spec,
            "ns",
            lambda key: makers[key.dialect](present[key.dialect]) if key.dialect in present else None,
        )

        assert (found.key.dialect if found else None) is chosen


class TestCertificate:
    def test_the_defaults_of_2018(self) -> None:
        found = certificate({}, issuer({"ca": {"secretName": "ca"}}))

        assert found.problem == ""
        assert found.plan is None
        assert found.spec.common_name == "a.example.com"
        assert found.spec.subject == cm.Subject(organizations=("cert-manager",))
        assert (found.spec.duration, found.spec.renew_before) == ("8760h0m0s", "720h0m0s")
        assert found.spec.private_key == cm.PrivateKey(rotation_policy="Never")
        assert found.spec.issuer_ref == ObjectReference(name="i", kind="Issuer", group="certmanager.k8s.io")

    def test_a_missing_issuer_is_referred_to_by_its_full_name(self) -> None:
        found = certificate({"issuerRef": {"name": "i", "kind": "ClusterIssuer"}})

        assert found.spec.issuer_ref == ObjectReference(name="i", kind="ClusterIssuer", group="certmanager.k8s.io")

    def test_the_plan_counts_with_acme_issuers_only(self) -> None:
        entry: Plain = {"domains": ["a.example.com"], "dns01": {"provider": "p"}}

        with_acme = certificate(plan(entry), issuer({"acme": ACME | PROVIDERS}))
        with_ca = certificate(plan(entry), issuer({"ca": {"secretName": "ca"}}))

        assert with_acme.plan is not None
        assert with_acme.plan[0].dns01 == legacy.DNS01Choice(provider="p")
        assert with_ca.plan is None
        assert with_ca.problem == ""

    @pytest.mark.parametrize(
        ("changes", "acme", "reason", "message"),
        [
            ({}, PROVIDERS, "InvalidConfig", "spec.acme must be specified"),
            ({}, OWN, "", ""),
            (
                plan({"domains": ["a.example.com"], "http01": {}}),
                PROVIDERS,
                "InvalidConfig",
                "ACME server does not allow selected challenge type or no provider is configured for domain "
                '"a.example.com"',
            ),
            (
                plan({"domains": ["a.example.com"], "dns01": {"provider": "p"}}),
                {"http01": {}} | OWN,
                "InvalidConfig",
                "ACME server does not allow selected challenge type or no provider is configured for domain "
                '"a.example.com"',
            ),
            (
                {"dnsNames": ["*.a"]} | plan({"domains": ["*.a"], "http01": {}}),
                {"http01": {}},
                "InvalidConfig",
                'ACME server does not allow selected challenge type or no provider is configured for domain "*.a"',
            ),
            (
                plan({"domains": ["a.example.com"], "dns01": {"provider": "q"}}),
                PROVIDERS,
                "ValidateError",
                'issuer does not contain DNS01 configuration for provider named "q"',
            ),
            (plan({"domains": ["a.example.com"], "http01": {}}), {"http01": {}}, "", ""),
            ({"isCA": True}, OWN, "ConfigError", None),
        ],
    )
    def test_problems_with_an_acme_issuer(self, changes: Plain, acme: Plain, reason: str, message: str | None) -> None:
        found = certificate(changes, issuer({"acme": ACME | acme}))

        assert found.problem_reason == reason
        assert message is None or found.problem == message

    def test_the_key_that_is_there_is_kept_whatever_was_asked_for(self) -> None:
        asked = certificate({"keyAlgorithm": "ecdsa"})

        kept = with_present_key(asked, KeySpec(KeyAlgorithm.RSA, 2048)).spec.private_key

        assert kept == cm.PrivateKey(rotation_policy="Never", algorithm="RSA", size=2048)
        assert with_present_key(asked, None) is asked
        assert with_present_key(asked, KeySpec(KeyAlgorithm.ECDSA, 256)) is asked
        assert with_present_key(asked, KeySpec(KeyAlgorithm.ML_DSA_65)) is asked

    def test_a_bad_duration_is_told_and_does_no_harm(self) -> None:
        found = certificate({"duration": "soon"})

        assert found.problem_reason == "ConfigError"

    def test_an_unreadable_one_is_a_config_error(self) -> None:
        found = certificate({"keySize": "big"})

        assert (found.problem_reason, found.key.name) == ("ConfigError", "c")
        assert "spec.keySize" in found.problem

    @pytest.mark.parametrize(
        ("status", "issuing"),
        [
            ({}, False),
            ({"nextPrivateKeySecretName": "c-x"}, True),
            ({"issuingSince": "2026-01-01T00:00:00Z"}, True),
            ({"conditions": [{"type": "Issuing", "status": "True"}]}, True),
        ],
    )
    def test_an_issuance_that_runs_shows_as_a_condition(self, status: Plain, issuing: bool) -> None:
        found = certificate({}, status=status).status.conditions

        assert [(each.type, each.status) for each in found] == ([("Issuing", "True")] if issuing else [])

    def test_conditions_count_for_the_spec_at_hand_and_those_of_v05_alone_stay_out(self) -> None:
        status = {
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "CertIssued"},
                {"type": "ValidateFailed", "status": "False"},
            ],
            "revision": 4,
        }
        found = certificate({}, status=status).status

        assert [(each.type, each.observed_generation) for each in found.conditions] == [("Ready", 2)]
        assert found.revision == 4
