"""Twins of legacy objects: what they look like, when they are somebody else's, and what is left to the new owner."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from certwright.api.kinds import LEGACY_CERTIFICATE, LEGACY_CLUSTER_ISSUER
from certwright.api.meta import Condition, ObjectMeta, OwnerReference, from_json
from certwright.rules.hub import Dialect, HubCertificate, HubIssuer, IssuerKey
from certwright.rules.legacy_hub import LegacyDefaults, legacy_certificate, legacy_issuer
from certwright.rules.mirrors import (
    MIRROR,
    MIRROR_MANAGER,
    Twin,
    TwinMeta,
    TwinStatus,
    adopted_object,
    certificate_twin,
    digest_of,
    is_adopted,
    is_mirror,
    issuer_twin,
    refreshed_object,
    shows,
    twin_facts,
    twin_status,
)

Plain = dict[str, Any]  # JSON of a test case

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
OWNER: Plain = {
    "apiVersion": "certmanager.k8s.io/v1alpha1",
    "kind": "Certificate",
    "name": "c",
    "uid": "u",
    "controller": True,
}
OTHER_OWNER: Plain = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "i", "uid": "v"}
SPEC: Plain = {
    "secretName": "s",
    "dnsNames": ["a"],
    "issuerRef": {"name": "i", "kind": "Issuer"},
    "subject": {"organizations": ["cert-manager"]},
    "privateKey": {"rotationPolicy": "Never"},
}


def issuer() -> HubIssuer:
    body: Plain = {
        "metadata": {"name": "cert-demo", "uid": "u"},
        "spec": {
            "acme": {
                "server": "https://acme",
                "privateKeySecretRef": {"name": "k"},
                "dns01": {
                    "providers": [
                        {
                            "name": "cf-dns",
                            "cloudflare": {"email": "e", "apiKeySecretRef": {"name": "cloudflare", "key": "api"}},
                        }
                    ]
                },
            }
        },
    }
    key = IssuerKey(Dialect.LEGACY, "ClusterIssuer", "", "cert-demo")
    return legacy_issuer(key, LEGACY_CLUSTER_ISSUER.read(msgspec.json.encode(body)))


def certificate(changes: Plain | None = None) -> HubCertificate:
    spec: Plain = {
        "secretName": "s",
        "dnsNames": ["a"],
        "issuerRef": {"name": "cert-demo", "kind": "ClusterIssuer"},
        "acme": {"config": [{"domains": ["a"], "dns01": {"provider": "cf-dns"}}]},
    }
    body = {"metadata": {"name": "c", "namespace": "ns", "uid": "u"}, "spec": spec | (changes or {})}
    return legacy_certificate(LEGACY_CERTIFICATE.read(msgspec.json.encode(body)), issuer(), LegacyDefaults())


class TestTwin:
    def test_of_a_certificate(self) -> None:
        twin = certificate_twin(certificate())

        metadata: Any = twin["metadata"]
        assert (twin["apiVersion"], twin["kind"]) == ("cert-manager.io/v1", "Certificate")
        assert (metadata["name"], metadata["namespace"]) == ("c", "ns")
        assert metadata["ownerReferences"] == [OWNER]
        assert metadata["labels"] == {"certmanager.k8s.io/acme-dns01-provider": "cf-dns", MIRROR: "true"}
        assert twin["spec"] == {
            "subject": {"organizations": ["cert-manager"]},
            "commonName": "a",
            "renewBefore": "720h0m0s",
            "dnsNames": ["a"],
            "secretName": "s",
            "issuerRef": {"name": "cert-demo", "kind": "ClusterIssuer"},
            "privateKey": {"rotationPolicy": "Never"},
        }

    def test_of_a_cluster_issuer(self) -> None:
        twin = issuer_twin(issuer())

        metadata: Any = twin["metadata"]
        spec: Any = twin["spec"]
        assert "namespace" not in metadata
        assert spec["acme"]["renewalInformationSource"] == "ARI"
        assert spec["acme"]["solvers"][0]["dns01"]["cloudflare"]["apiKeySecretRef"] == {
            "name": "cloudflare",
            "key": "api",
        }

    def test_its_mark_changes_with_its_spec_alone(self) -> None:
        one, same, other = certificate(), certificate(), certificate({"secretName": "t"})

        digests = [digest_of(certificate_twin(each)) for each in (one, same, other)]

        assert digests[0] == digests[1] != digests[2]

    def test_a_reference_to_the_modern_group_stays_one(self) -> None:
        found = certificate({"issuerRef": {"name": "x", "group": "example.com", "kind": "Gadget"}})
        changed = msgspec.structs.replace(
            found, spec=msgspec.structs.replace(found.spec, issuer_ref=type(found.spec.issuer_ref)(name="x", group="g"))
        )

        spec: Any = certificate_twin(changed)["spec"]

        assert spec["issuerRef"] == {"name": "x", "group": "g"}


class TestIsMirror:
    @pytest.mark.parametrize(
        ("annotations", "owner", "mirror"),
        [
            ({MIRROR: "x"}, OWNER, True),
            ({}, OWNER, False),
            ({MIRROR: "x"}, OWNER | {"controller": False}, False),
            ({MIRROR: "x"}, OTHER_OWNER | {"controller": True}, False),
        ],
    )
    def test_the_mark_and_a_legacy_controller(self, annotations: Plain, owner: Plain, mirror: bool) -> None:
        metadata = ObjectMeta(annotations=annotations, owner_references=(from_json(OwnerReference, owner),))

        assert is_mirror(metadata) is mirror


def managed(manager: str, fields: Plain, operation: str = "Update", subresource: str = "") -> Plain:
    return {"manager": manager, "operation": operation, "subresource": subresource, "fieldsV1": fields}


OURS = managed(
    MIRROR_MANAGER,
    {
        "f:metadata": {"f:annotations": {}},
        "f:spec": {
            ".": {},
            "f:secretName": {},
            "f:dnsNames": {},
            "f:issuerRef": {"f:name": {}, "f:kind": {}},
            "f:subject": {".": {}, "f:organizations": {}},
            "f:privateKey": {".": {}, "f:rotationPolicy": {}},
        },
    },
)


class TestAdoption:
    @pytest.mark.parametrize(
        ("annotations", "managers", "adopted"),
        [
            ({}, [OURS], False),
            ({LAST_APPLIED: "{}"}, [OURS], True),
            ({}, [OURS, managed("kubectl-edit", {"f:spec": {"f:duration": {}}})], True),
            ({}, [OURS, managed("me", {"f:spec": {"f:secretName": {}}}, "Apply")], True),
            ({}, [OURS, managed("kubectl-label", {"f:metadata": {"f:labels": {"f:x": {}}}})], False),
            ({}, [OURS, managed("cmctl", {"f:status": {}}, subresource="status")], False),
        ],
    )
    def test_whoever_owns_a_field_of_the_spec_has_taken_the_twin_over(
        self, annotations: Plain, managers: list[Plain], adopted: bool
    ) -> None:
        plain: Plain = {"annotations": annotations, "managedFields": managers}
        metadata = from_json(TwinMeta, plain)

        assert is_adopted(metadata) is adopted

    def test_the_facts_of_a_twin(self) -> None:
        metadata = from_json(
            TwinMeta, {"name": "c", "annotations": {MIRROR: "d"}, "ownerReferences": [OWNER], "managedFields": [OURS]}
        )

        found = twin_facts(Twin(metadata=metadata))

        assert found is not None
        assert (found.digest, found.adopted, found.metadata.name) == ("d", False, "c")
        assert twin_facts(Twin()) is None

    def raw(self, annotations: Plain, managers: list[Plain]) -> Plain:
        metadata = {
            "name": "c",
            "annotations": {MIRROR: "d", **annotations},
            "labels": {MIRROR: "true", "mine": "x"},
            "ownerReferences": [OWNER, OTHER_OWNER],
            "managedFields": managers,
            "resourceVersion": "7",
        }
        return {"apiVersion": "cert-manager.io/v1", "metadata": metadata, "spec": SPEC, "status": {"x": 1}}

    def test_what_was_applied_becomes_the_spec(self) -> None:
        applied = {"secretName": "s", "dnsNames": ["a", "b"], "issuerRef": {"name": "i"}}
        manifest = msgspec.json.encode({"spec": applied}).decode()

        found: Any = adopted_object(self.raw({LAST_APPLIED: manifest}, [OURS]))

        assert found["spec"] == applied
        assert found["metadata"]["annotations"] == {LAST_APPLIED: manifest}
        assert found["metadata"]["labels"] == {"mine": "x"}
        assert found["metadata"]["ownerReferences"] == [OTHER_OWNER]
        assert found["metadata"]["resourceVersion"] == "7"
        assert found["status"] == {"x": 1}

    def test_of_a_server_side_applied_one_our_own_fields_go(self) -> None:
        fields: Plain = {"f:spec": {"f:secretName": {}, "f:dnsNames": {}, "f:issuerRef": {"f:name": {}}}}

        found = adopted_object(self.raw({}, [OURS, managed("me", fields, "Apply")]))

        assert found["spec"] == {"secretName": "s", "dnsNames": ["a"], "issuerRef": {"name": "i"}}

    def test_who_edits_the_twin_keeps_what_was_seen(self) -> None:
        editor = managed("kubectl-edit", {"f:spec": {"f:duration": {}}})

        assert adopted_object(self.raw({}, [OURS, editor]))["spec"] == SPEC

    @pytest.mark.parametrize("text", ["no JSON", "[]", '{"spec": 5}'])
    def test_a_manifest_that_says_nothing_leaves_the_spec(self, text: str) -> None:
        assert adopted_object(self.raw({LAST_APPLIED: text}, [OURS]))["spec"] == SPEC

    def test_a_twin_that_follows_its_original_keeps_what_others_put_on_it(self) -> None:
        raw = self.raw({"theirs": "y"}, [OURS])
        raw["metadata"]["labels"]["certmanager.k8s.io/acme-dns01-provider"] = "old"

        found: Any = refreshed_object(raw, certificate_twin(certificate({"acme": {"config": []}})))

        assert found["spec"]["commonName"] == "a"
        assert found["metadata"]["labels"] == {"mine": "x", MIRROR: "true"}
        assert found["metadata"]["annotations"]["theirs"] == "y"


class TestStatus:
    CONDITION = Condition(type="Ready", status="True", reason="CertIssued", observed_generation=3)

    def test_it_shows_the_same_conditions_without_a_generation(self) -> None:
        wanted = twin_status((self.CONDITION,), times={"notAfter": "2026-01-01T00:00:00Z", "notBefore": None})

        assert wanted == {
            "conditions": [{"type": "Ready", "status": "True", "reason": "CertIssued"}],
            "notAfter": "2026-01-01T00:00:00Z",
            "notBefore": None,
        }
        assert shows(from_json(TwinStatus, wanted), wanted)
        assert not shows(TwinStatus(), wanted)

    def test_the_account_of_an_issuer(self) -> None:
        wanted = twin_status((), "https://acme/1")

        assert wanted["acme"] == {"uri": "https://acme/1"}
        assert shows(from_json(TwinStatus, wanted), wanted)
        assert shows(TwinStatus(), twin_status(()))
