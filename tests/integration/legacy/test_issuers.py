"""Legacy issuers are checked, and their status and events are those of 2018, on them and on their twins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration.legacy.rig import LEGACY, MODERN, Rig, collapsed, condition_of
from tests.kubernetes.eventually import eventually

from certwright.rules.mirrors import MIRROR

pytestmark = pytest.mark.needs("kubectl")


async def test_a_self_signed_issuer_in_the_spelling_of_the_v05_chart_is_ready(rig: Rig) -> None:
    await rig.make("Issuer", "root", {"selfsigned": {}})

    found = await rig.ready("issuers", "root", "IsReady")

    condition = condition_of(found)
    assert condition is not None
    assert condition["status"] == "True"
    assert set(condition) <= {"type", "status", "reason", "message", "lastTransitionTime"}


async def test_its_twin_has_its_static_form_and_its_status(rig: Rig) -> None:
    made = await rig.make("Issuer", "root", {"selfsigned": {}})

    twin = await rig.ready("issuers", "root", "IsReady", MODERN)

    assert MIRROR in twin["metadata"]["annotations"]
    assert twin["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert twin["spec"] == {"selfSigned": {}}


async def test_the_short_name_of_kubectl_shows_it(rig: Rig) -> None:
    await rig.make("Issuer", "root", {"selfsigned": {}})
    await rig.ready("issuers", "root", "IsReady", MODERN)

    for name in ("issuer/root", "issuers.certmanager.k8s.io/root"):
        text = collapsed(await rig.kubectl("describe", name))

        assert "Reason: IsReady Status: True Type: Ready" in text
        assert text.rstrip().endswith("Events: <none>")


async def test_a_bad_spec_is_a_config_error_which_goes_when_it_is_mended(rig: Rig) -> None:
    await rig.make("Issuer", "ca", {"ca": {"secretName": ""}, "selfSigned": None})
    found = await rig.ready("issuers", "ca", "ConfigError")
    condition = condition_of(found)
    assert condition is not None
    assert condition["message"] == ("Resource validation failed: spec.ca.secretName: Required value: must be specified")

    await rig.kubectl(
        "patch", "issuers.certmanager.k8s.io", "ca", "--type=merge", "-p", '{"spec":{"ca":null,"selfSigned":{}}}'
    )

    await rig.ready("issuers", "ca", "IsReady")


async def test_a_field_of_the_wrong_type_is_told_on_that_object_alone(rig: Rig) -> None:
    await rig.make("Issuer", "odd", {"ca": {"secretName": 5}})
    await rig.make("Issuer", "fine", {"selfSigned": {}})

    await rig.ready("issuers", "fine", "IsReady")
    found = await rig.ready("issuers", "odd", "ConfigError")

    condition = condition_of(found)
    assert condition is not None
    assert "spec.ca.secretName: Invalid value: must be a string, is a number" in condition["message"]
    assert await rig.get(MODERN, "issuers", "odd") is None


async def test_a_ca_issuer_without_its_secret_warns_as_v05_did(rig: Rig) -> None:
    made = await rig.make("Issuer", "ca", {"ca": {"secretName": "absent"}})
    await rig.ready("issuers", "ca", "ErrGetKeyPair")

    async def both() -> list[tuple[str, str, str]] | None:
        events = await rig.events(made["metadata"]["uid"])
        return events if len(events) >= 2 else None

    events = await eventually(both)

    assert [(event[0], event[1]) for event in events] == [("Warning", "ErrGetKeyPair"), ("Warning", "ErrInitIssuer")]
    twin = await rig.ready("issuers", "ca", "ErrGetKeyPair", MODERN)
    assert await rig.events(twin["metadata"]["uid"]) == events


async def test_a_modern_issuer_of_that_name_is_left_alone(rig: Rig) -> None:
    modern = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "both"},
        "spec": {"selfSigned": {"crlDistributionPoints": ["http://crl"]}},
    }
    await rig.kubectl("create", "-f", "-", stdin=modern)
    await rig.ready("issuers", "both", "IsReady", MODERN)

    await rig.make("Issuer", "both", {"selfSigned": {}})
    await rig.ready("issuers", "both", "IsReady")

    found = await rig.get(MODERN, "issuers", "both")
    assert found is not None
    assert found["spec"] == modern["spec"]
    assert "ownerReferences" not in found["metadata"]


async def test_the_twin_goes_with_its_original(rig: Rig) -> None:
    await rig.make("Issuer", "root", {"selfsigned": {}})
    await rig.ready("issuers", "root", "IsReady", MODERN)

    await rig.kubectl("delete", "issuers.certmanager.k8s.io/root")

    async def gone() -> bool:
        return await rig.get(MODERN, "issuers", "root") is None

    # A real garbage collector learns of new kinds each half minute.
    await eventually(gone, timedelta(seconds=90))
    assert await rig.get(LEGACY, "issuers", "root") is None


async def test_an_acme_issuer_is_described_as_in_2018(rig: Rig) -> None:
    acme = {"server": "https://acme", "email": "e", "privateKeySecretRef": {"name": "account"}, "http01": {}}
    await rig.make("Issuer", "acme", {"acme": acme})
    await rig.ready("issuers", "acme", "ACMEAccountRegistered", MODERN)

    for name in ("issuer/acme", "issuers.certmanager.k8s.io/acme"):
        text = await rig.kubectl("describe", name)

        flat = collapsed(text)
        assert "Status: Acme: Uri: https://acme/acct/1 Conditions: Last Transition Time:" in flat
        assert (
            "Message: The ACME account was registered with the ACME server "
            "Reason: ACMEAccountRegistered Status: True Type: Ready" in flat
        )
        assert flat.rstrip().endswith("Events: <none>")
    found = await rig.get(LEGACY, "issuers", "acme")
    assert found is not None
    assert found["status"]["registration"] == {"email": "e", "privateKeyHash": "h"}
