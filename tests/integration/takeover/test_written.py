"""What is issued here looks as cert-manager 1.21.1 writes it, so that cert-manager can take it back at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from tests.cluster import Cluster
from tests.integration.takeover.golden import Past, Plain, golden, needs_golden
from tests.integration.takeover.rig import certwright, everything
from tests.integration.takeover.shape import belong_together, leaf_shape, managers, shape

pytestmark = needs_golden()

# What is not issued, or was renewed by hand in the golden cluster, or is made by the ingress-shim.
LEFT_OUT = ("acme", "dup-b", "temporary", "foreign-", "issuer-missing", "keystores-missing-pw", "shop")
RENEWED = ("never-rotate", "always-rotate")
# One pass writes what several controllers of cert-manager write, under the name of one of them.
CERTIFICATE_MANAGERS = {
    (f"cert-manager-certificates-{step}", "Update", "status") for step in ("trigger", "issuing", "readiness")
}
# Their texts say more.
UNREADY_ISSUERS = ("ca-no-secret", "ca-not-a-ca")


async def test_all_but_times_and_keys_is_as_in_the_golden_objects(cluster: Cluster, past: Past) -> None:
    items = golden("settled.json")
    await past.restore(as_written(items))

    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=1))
    ours = await everything(cluster)

    theirs = {f"{each['kind']}/{each['metadata']['name']}": each for each in items}
    assert set(ours) <= set(theirs), "nothing has a name that cert-manager would not have given it"
    issued = [name for name in ours if name.startswith("Secret/") and name != "Secret/pw"]
    assert len(issued) >= 20
    for name, each in ours.items():
        assert _comparable(name, shape(each)) == _comparable(name, shape(theirs[name])), name
        _check_managers(each, theirs[name])
    for name in issued:
        assert leaf_shape(ours[name]) == leaf_shape(theirs[name]), name
        belong_together(ours, name.removeprefix("Secret/"))
    await _assert_that_a_restart_writes_nothing(cluster)


async def _assert_that_a_restart_writes_nothing(cluster: Cluster) -> None:
    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=1))
        assert run.passes("certificates-issuing") > 0
    assert run.writes == Counter()


def as_written(items: Iterable[Plain]) -> list[Plain]:
    """The manifests of a user, who writes no status."""
    kinds = {"Certificate", "Issuer", "ClusterIssuer"}
    wanted = [each for each in items if each["kind"] in kinds and not each["metadata"]["name"].startswith(LEFT_OUT)]
    passwords = [each for each in items if (each["kind"], each["metadata"]["name"]) == ("Secret", "pw")]
    return [*passwords, *({**each, "status": {}} for each in wanted)]


def _comparable(name: str, found: Plain) -> Plain:
    if name in {f"Certificate/{each}" for each in RENEWED}:
        found["status.revision"] = "(renewed by hand)"
    if name in {f"Issuer/{each}" for each in UNREADY_ISSUERS}:
        found["conditions.Ready.message"] = "(in other words)"
    return found


def _check_managers(ours: Plain, theirs: Plain) -> None:
    match ours["kind"]:
        case "Certificate":
            assert managers(ours) <= CERTIFICATE_MANAGERS
        case "CertificateRequest":
            assert managers(ours) <= managers(theirs)
        case _:
            assert managers(ours) == managers(theirs)
