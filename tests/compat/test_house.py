"""What kubectl and clients see of the six kinds of cert-manager 1.21, in the files that are installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

CRDS = Path(__file__).resolve().parents[2] / "deploy" / "crds"
# Plural and group: kind, singular, short names, categories, scope.
NAMES = {
    "certificates.cert-manager.io": ("Certificate", "certificate", ["cert", "certs"], 1, "Namespaced"),
    "certificaterequests.cert-manager.io": (
        "CertificateRequest",
        "certificaterequest",
        ["cr", "crs"],
        1,
        "Namespaced",
    ),
    "issuers.cert-manager.io": ("Issuer", "issuer", ["iss"], 1, "Namespaced"),
    "clusterissuers.cert-manager.io": ("ClusterIssuer", "clusterissuer", ["ciss"], 1, "Cluster"),
    "orders.acme.cert-manager.io": ("Order", "order", [], 2, "Namespaced"),
    "challenges.acme.cert-manager.io": ("Challenge", "challenge", [], 2, "Namespaced"),
}
CATEGORIES = ["cert-manager", "cert-manager-acme"]
# `+` marks a column that only `-o wide` shows.
COLUMNS = {
    "certificates.cert-manager.io": "Ready Secret +Issuer +Status +Expiration Age",
    "certificaterequests.cert-manager.io": "Approved Denied Ready Issuer Requester +Status Age",
    "issuers.cert-manager.io": "Ready +Status Age",
    "clusterissuers.cert-manager.io": "Ready +Status Age",
    "orders.acme.cert-manager.io": "State +Issuer +Reason Age",
    "challenges.acme.cert-manager.io": "State Domain +Reason Age",
}
ISSUER_FIELDS = [".spec.issuerRef.group", ".spec.issuerRef.kind", ".spec.issuerRef.name"]
Plain = dict[str, Any]  # a decoded CRD


@cache
def crd(name: str) -> Plain:
    found: Plain = yaml.safe_load((CRDS / f"{name}.yaml").read_text())
    return found


def version(name: str) -> Plain:
    [only] = crd(name)["spec"]["versions"]
    assert isinstance(only, dict)
    return only


def schemas(schema: Plain, path: str) -> list[tuple[str, Plain]]:
    """Every schema below a field, with its path."""
    found = [(path, schema)]
    for name, child in schema.get("properties", {}).items():
        found += schemas(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found += schemas(schema[key], f"{path}[]")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_kinds_have_their_names(name: str) -> None:
    kind, singular, short, categories, scope = NAMES[name]
    plural, _, group = name.partition(".")
    spec = crd(name)["spec"]

    assert spec["group"] == group
    assert spec["scope"] == scope
    assert spec["names"].get("shortNames", []) == short
    assert spec["names"]["categories"] == CATEGORIES[:categories]
    assert (spec["names"]["kind"], spec["names"]["singular"], spec["names"]["plural"]) == (kind, singular, plural)
    assert [one["name"] for one in spec["versions"] if one["served"] and one["storage"]] == ["v1"]


@pytest.mark.parametrize("name", NAMES)
def test_status_is_a_subresource_of_its_own(name: str) -> None:
    assert version(name)["subresources"] == {"status": {}}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_kubectl_get(name: str) -> None:
    columns = version(name)["additionalPrinterColumns"]

    assert " ".join(("+" if one.get("priority") else "") + one["name"] for one in columns) == COLUMNS[name]


@pytest.mark.parametrize("name", NAMES)
def test_selectable_fields(name: str) -> None:
    found = sorted(one["jsonPath"] for one in version(name).get("selectableFields", []))

    assert found == ([] if "issuers" in name else ISSUER_FIELDS)


@pytest.mark.parametrize("name", NAMES)
def test_no_default_is_written_into_a_spec(name: str) -> None:
    """A default there would change what is stored, and be taken for a change of the request."""
    spec = version(name)["schema"]["openAPIV3Schema"]["properties"]["spec"]

    defaulted = {path for path, schema in schemas(spec, "spec") if "default" in schema}

    assert not [path for path in defaulted if path.startswith(("spec.issuerRef", "spec.usages", "spec.privateKey"))]


@pytest.mark.parametrize("name", NAMES)
def test_unknown_fields_are_pruned_save_the_configuration_of_dns_webhooks(name: str) -> None:
    schema = version(name)["schema"]["openAPIV3Schema"]

    kept = {path for path, one in schemas(schema, "") if one.get("x-kubernetes-preserve-unknown-fields")}

    assert all(path.endswith("dns01.webhook.config") for path in kept)
    assert bool(kept) is ("issuer" in name or "challenges" in name)
