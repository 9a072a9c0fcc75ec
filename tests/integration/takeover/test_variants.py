"""What other versions of cert-manager left, and what a backup or a deletion in between makes of it."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.takeover.golden import Past, Plain, golden, named, needs_golden
from tests.integration.takeover.rig import THEN, Run, certwright, differences, events, everything
from tests.kubernetes.audit import Write

pytestmark = needs_golden()

NAMES = ("root", "rsa-default", "ecdsa-p521", "every-san", "cluster-root", "keystores-legacy", "formats-template")
APPLY_SECRET = Write("patch", "secrets")
CERTIFICATE_STATUS = Write("patch", "certificates.cert-manager.io/status")


def some(*names: str) -> list[Plain]:
    """Those Certificates with their Secrets and requests, and the issuers."""
    items = golden("settled.json")
    issuers = [named(items, *each) for each in (("Issuer", "ca"), ("ClusterIssuer", "cluster-ca"))]
    issuers.append(named(items, "ClusterIssuer", "selfsigned"))
    mine = [each for each in items if _is_of(each, names)]
    return [*issuers, *mine]


def without(items: Iterable[Plain], kind: str) -> list[Plain]:
    """All of another kind."""
    return [each for each in items if each["kind"] != kind]


def _is_of(each: Plain, names: Iterable[str]) -> bool:
    owners = [owner["name"] for owner in each["metadata"].get("ownerReferences", [])]
    match each["kind"]:
        case "Certificate" | "Secret":
            return each["metadata"]["name"] in names
        case "CertificateRequest":
            return any(owner in names for owner in owners)
    return False


async def take_over(
    cluster: Cluster, past: Past, items: Iterable[Plain], change: Callable[[Plain], None] = lambda _: None
) -> tuple[Run, dict[str, tuple[Any, Any]]]:
    """The controllers of one run that has ended, and what has changed."""
    await past.restore(items, change)
    before = await everything(cluster)
    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=2))
    return run, differences(before, await everything(cluster))


def fields(found: Iterable[str]) -> set[str]:
    """The names of what differs, the objects' names left out."""
    return {name.partition("/")[0] + " " + name.partition(" ")[2] for name in found}


async def test_objects_of_older_releases(cluster: Cluster, past: Past) -> None:
    """They wrote the same with less: no observedGeneration, other names of requests, no label on Secrets."""

    def older(each: Plain) -> None:
        for condition in each.get("status", {}).get("conditions", []):
            condition.pop("observedGeneration", None)
        if each["kind"] == "CertificateRequest":
            each["metadata"]["name"] = each["metadata"]["name"].removesuffix("-1") + "-x7k2p"
        if each["kind"] == "Secret":
            each["metadata"].pop("labels", None)

    run, found = await take_over(cluster, past, some(*NAMES), older)

    assert fields(found) == {
        "Certificate status.conditions.Ready.observedGeneration",
        "Issuer status.conditions.Ready.observedGeneration",
        "ClusterIssuer status.conditions.Ready.observedGeneration",
        "Secret metadata.labels",
        # Whoever writes a Secret writes it whole: its key stores are made anew around the same certificate.
        *(f"Secret data.{store}store.{kind}" for store in ("key", "trust") for kind in ("jks", "p12")),
    }
    assert run.writes[APPLY_SECRET] == len(NAMES)
    assert not [write for write in run.writes if write.verb in {"create", "delete"}]


OF_2018 = {"rsa-default": ("ca", ""), "ecdsa-p521": ("cluster-ca", "ClusterIssuer")}


async def test_secrets_that_v0_5_wrote_are_adopted(cluster: Cluster, past: Past) -> None:
    """New manifests over old Secrets: no request, no new key, the marks of today beside those of then."""
    items = [each for each in some("root", "cluster-root", *OF_2018) if not _is_request_of(each, OF_2018)]
    roots = {name: named(items, "Secret", name) for name in ("root", "cluster-root")}

    run, found = await take_over(cluster, past, items, lambda each: as_of_2018(each, roots))

    assert {name.partition(" ")[0] for name in found} == {
        f"{kind}/{name}" for kind in ("Certificate", "Secret") for name in OF_2018
    }
    assert not [name for name in found if "Secret/" in name and " data" in name]
    after = await everything(cluster)
    for name in OF_2018:
        is_adopted(name, after[f"Secret/{name}"]["metadata"], after[f"Certificate/{name}"])
    # Ours goes on by apply, the name of the old group's owner comes off by a patch.
    assert run.writes == Counter({APPLY_SECRET: 4, CERTIFICATE_STATUS: 2})


def as_of_2018(each: Plain, roots: dict[str, Plain]) -> None:
    """A Certificate without a status, and its Secret as v0.5 left it."""
    name, metadata = each["metadata"]["name"], each["metadata"]
    if name in OF_2018 and each["kind"] == "Certificate":
        each["status"] = {}
    elif name in OF_2018 and each["kind"] == "Secret":
        issuer, kind = OF_2018[name]
        names = metadata["annotations"]["cert-manager.io/alt-names"].split(",")
        metadata["managedFields"] = [{"manager": "controller", "operation": "Update"}]
        metadata["labels"] = {"certmanager.k8s.io/certificate-name": name}
        metadata["annotations"] = {
            "certmanager.k8s.io/alt-names": ",".join(names),
            "certmanager.k8s.io/common-name": names[0],
            "certmanager.k8s.io/issuer-name": issuer,
            "certmanager.k8s.io/issuer-kind": kind or "Issuer",
        }
        each["data"] = data_of_v0_5(each, roots["cluster-root" if kind else "root"], names)


def is_adopted(name: str, metadata: Plain, certificate: Plain) -> None:
    """The Secret bears the marks of today, and its Certificate is Ready without an issuance."""
    issuer, kind = OF_2018[name]
    marks = {
        "cert-manager.io/certificate-name": name,
        "cert-manager.io/issuer-name": issuer,
        "cert-manager.io/issuer-kind": kind,
    }
    assert metadata["labels"]["controller.cert-manager.io/fao"] == "true"
    assert metadata["annotations"].items() >= marks.items()
    assert [each["type"] for each in certificate["status"]["conditions"]] == ["Ready"]
    assert ready_of(certificate) == ("True", "Ready")
    assert "revision" not in certificate["status"]
    assert "certmanager.k8s.io/certificate-name" not in metadata["labels"]


def data_of_v0_5(secret: Plain, root: Plain, names: list[str]) -> Plain:
    """Leaf and CA in `tls.crt`, nothing in `ca.crt`, the first name and an organization in the subject."""
    key = serialization.load_pem_private_key(base64.b64decode(secret["data"]["tls.key"]), None)
    ca = x509.load_pem_x509_certificate(base64.b64decode(root["data"]["tls.crt"]))
    ca_key = serialization.load_pem_private_key(base64.b64decode(root["data"]["tls.key"]), None)
    assert isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey)
    assert isinstance(ca_key, RSAPrivateKey | EllipticCurvePrivateKey)
    parts = {NameOID.ORGANIZATION_NAME: "cert-manager", NameOID.COMMON_NAME: names[0]}
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(THEN - timedelta(days=10))
        .not_valid_after(THEN + timedelta(days=355))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    chain = leaf.public_bytes(serialization.Encoding.PEM) + ca.public_bytes(serialization.Encoding.PEM)
    return {"tls.key": secret["data"]["tls.key"], "tls.crt": base64.b64encode(chain).decode()}


def _is_request_of(each: Plain, names: Iterable[str]) -> bool:
    return each["kind"] == "CertificateRequest" and _is_of(each, names)


async def test_a_certificate_that_was_deleted_and_made_again(cluster: Cluster, past: Past) -> None:
    """As after a restore of manifests: the Secret is there, its requests went with the old uid."""

    def anew(each: Plain) -> None:
        if each["kind"] == "Certificate":
            each["status"] = {}

    run, found = await take_over(cluster, past, without(some(*NAMES), "CertificateRequest"), anew)

    assert {name for name in found if not name.startswith("Certificate/")} == set()
    assert run.writes == Counter({CERTIFICATE_STATUS: len(NAMES)})
    after = await everything(cluster)
    assert {ready_of(after[f"Certificate/{name}"]) for name in NAMES} == {("True", "Ready")}
    assert await events(cluster) == []


async def test_owner_references_go_with_the_flag_that_asked_for_them(cluster: Cluster, past: Past) -> None:
    """cert-manager ran with --enable-certificate-owner-ref, we do not: only the reference is taken off."""
    items = some("root", "cluster-root", "rsa-default")
    owner = named(items, "Certificate", "rsa-default")["metadata"]
    reference = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": "rsa-default", "uid": owner["uid"]}

    def owned(each: Plain) -> None:
        if each["kind"] == "Secret" and each["metadata"]["name"] == "rsa-default":
            each["metadata"]["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": True}]

    run, found = await take_over(cluster, past, items, owned)

    assert set(found) == {"Secret/rsa-default metadata.ownerReferences"}
    assert run.writes == Counter({APPLY_SECRET: 1})


async def test_back_off_that_began_under_cert_manager_is_kept(cluster: Cluster, past: Past) -> None:
    items = golden("settled.json")
    name = "acme-cn-not-in-sans"
    mine = [each for each in items if _is_of(each, [name])]
    accounts = [each for each in items if (each["kind"], each["metadata"]["name"]) in ACCOUNT]
    await past.restore([*accounts, *mine])
    clock = MovableClock(THEN)

    async with certwright(cluster, clock) as run:
        await run.run_for(timedelta(minutes=54), timedelta(minutes=6))
        held_back = await everything(cluster)
        assert run.writes == Counter({CERTIFICATE_STATUS: 1})
        await run.run_for(timedelta(minutes=6), timedelta(minutes=1))
    tried = await everything(cluster)

    before, after = (found[f"Certificate/{name}"]["status"] for found in (held_back, tried))
    assert before["failedIssuanceAttempts"] == 1
    assert "The next try is at 2026-11-24T04:15:33Z" in str(before["conditions"])
    assert after["failedIssuanceAttempts"] == 2
    assert datetime.fromisoformat(after["lastFailureTime"]) - THEN < timedelta(hours=1)
    assert (
        held_back[f"CertificateRequest/{name}-1"]["metadata"]["uid"]
        != (tried[f"CertificateRequest/{name}-1"]["metadata"]["uid"])
    )


ACCOUNT = {("Issuer", "acme"), ("Secret", "acme-account"), ("Secret", "tsig")}


def ready_of(certificate: Plain) -> tuple[str, str]:
    """Status and reason of the Ready condition."""
    [one] = [each for each in certificate["status"]["conditions"] if each["type"] == "Ready"]
    return one["status"], one["reason"]
