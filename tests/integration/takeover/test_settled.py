"""A live cluster of cert-manager 1.21.1 is taken over: nothing is issued anew, and all that is written stands here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from tests.cluster import Cluster
from tests.integration.takeover.golden import Past, Plain, golden, needs_golden
from tests.integration.takeover.rig import certwright, differences, events, everything
from tests.kubernetes.audit import Write

pytestmark = needs_golden()

CERTIFICATE_STATUS = Write("patch", "certificates.cert-manager.io/status")
REQUEST_STATUS = Write("patch", "certificaterequests.cert-manager.io/status")
ISSUER_STATUS = Write("patch", "issuers.cert-manager.io/status")
NEW_EVENT, REPEATED_EVENT = Write("create", "events"), Write("patch", "events")


def messages(kind: str, names: Iterable[str], *conditions: str) -> set[str]:
    """The fields with the texts of those conditions."""
    return {f"{kind}/{name} status.conditions.{each}.message" for name in names for each in conditions}


# What is waited for is said in the Certificate itself.
WAITING = ("acme-http", "acme-http-in-place", "acme-wrong-zone", "foreign-issuer", "issuer-missing")
HELD_BACK = ("acme-blocked", "acme-cn-not-in-sans")
SAYS_MORE = {
    *messages("Certificate", (*WAITING, "keystores-missing-pw"), "Ready", "Issuing"),
    *messages("Certificate", HELD_BACK, "Ready"),
}
# The same fact in words that say what to do.
REWORDED = {
    *messages("CertificateRequest", ("issuer-missing-1", "temporary-1"), "Ready"),
    *messages("Issuer", ("acme-bad-url", "ca-no-secret", "ca-not-a-ca"), "Ready"),
}
# The dates of another Certificate's certificate were never its own.
FOREIGN_DATES = {f"Certificate/dup-b status.{name}" for name in ("notBefore", "notAfter", "renewalTime")}
# A certificate that nobody trusts is not Ready, and has no dates.
NOT_READY = {
    *(f"Certificate/temporary status.{name}" for name in ("notBefore", "notAfter", "renewalTime")),
    *(
        f"Certificate/temporary status.conditions.Ready.{name}"
        for name in ("status", "reason", "message", "lastTransitionTime")
    ),
    *messages("Certificate", ("temporary",), "Issuing"),
}
# cert-manager's own webhook refuses this as long as the kind of the issuer is unknown; no webhook is asked here.
APPROVED = {"CertificateRequest/foreign-issuer-1 status", "CertificateRequest/foreign-group status"}

# Those that say more, keystores-missing-pw, dup-b and temporary. Where the text of a request changes under a
# Certificate that waits for it, the Certificate may already have told the old one: that is one write more each.
CERTIFICATES = len(WAITING) + len(HELD_BACK) + 3
TOLD_TWICE = len(("foreign-issuer", "issuer-missing", "temporary"))
OTHER_WRITES = Counter(
    {
        REQUEST_STATUS: 4,
        ISSUER_STATUS: 3,
        NEW_EVENT: 6,
        # An ACME server that cannot be reached is tried again, less and less often: five times in five minutes.
        REPEATED_EVENT: 5,
    }
)
TOLD = [
    ("Certificate/keystores-missing-pw", "Warning", "KeystorePasswordSecretNotFound"),
    ("CertificateRequest/foreign-group", "Normal", "cert-manager.io"),
    ("CertificateRequest/foreign-issuer-1", "Normal", "cert-manager.io"),
    ("Issuer/acme-bad-url", "Warning", "ErrInitIssuer"),
    ("Issuer/ca-no-secret", "Warning", "ErrGetKeyPair"),
    ("Issuer/ca-not-a-ca", "Warning", "ErrInvalidKeyPair"),
]


async def test_zero_reissues_and_every_write_is_known(cluster: Cluster, past: Past) -> None:
    items = golden("settled.json")
    await past.restore(items)
    before = await everything(cluster)

    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=5))
        assert run.passes("certificates-issuing") >= sum(each["kind"] == "Certificate" for each in items)
        assert run.passes("orders") >= sum(each["kind"] == "Order" for each in items)
        assert run.passes("challenges") >= sum(each["kind"] == "Challenge" for each in items)
        assert run.asked > 0, "the challenges that wait should have been looked at"
    after = await everything(cluster)

    found = differences(before, after)
    assert set(found) == SAYS_MORE | REWORDED | FOREIGN_DATES | NOT_READY | APPROVED
    written = run.writes
    assert CERTIFICATES <= written.pop(CERTIFICATE_STATUS) <= CERTIFICATES + TOLD_TWICE
    assert written == OTHER_WRITES
    assert await events(cluster) == TOLD
    assert {old for name, (old, _) in found.items() if name in SAYS_MORE} == {
        "Issuing certificate as Secret does not exist"
    }
    assert all(new.startswith(old) for name, (old, new) in found.items() if name in SAYS_MORE)
    assert all(new is None for name, (_, new) in found.items() if name in FOREIGN_DATES)
    assert ready(after, "temporary") == ("False", "TemporaryCertificate")
    await assert_that_a_second_start_writes_nothing(cluster)


async def assert_that_a_second_start_writes_nothing(cluster: Cluster) -> None:
    """But for the issuer whose CA is not there, which goes on being tried."""
    await cluster.http.delete(
        f"/apis/cert-manager.io/v1/namespaces/{cluster.namespace}/issuers/acme-bad-url", propagationPolicy="Background"
    )
    before = await everything(cluster)

    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=5))
        assert run.passes("certificates-issuing") > 0

    assert run.writes == Counter()
    assert differences(before, await everything(cluster)) == {}


def ready(found: dict[str, Plain], certificate: str) -> tuple[str, str]:
    """Status and reason of the Ready condition."""
    conditions = found[f"Certificate/{certificate}"]["status"]["conditions"]
    [one] = [each for each in conditions if each["type"] == "Ready"]
    return one["status"], one["reason"]
