"""Feature gates are read as other controllers of Kubernetes read them."""

from __future__ import annotations

import re

import pytest

from certwright.rules.gates import ARI, KNOWN, MLDSA, ROTATE_ALWAYS, Gates, Stage, read_gates

# Names, stages and defaults of cert-manager 1.21.
UPSTREAM = {
    "GA": {
        "AdditionalCertificateOutputFormats",
        "CAInjectorMerging",
        "DefaultPrivateKeyRotationPolicyAlways",
        "DisallowInsecureCSRUsageDefinition",
        "UseDomainQualifiedFinalizer",
    },
    "BETA": {
        "ACMEHTTP01IngressPathTypeExact",
        "ExperimentalGatewayAPISupport",
        "LiteralCertificateSubject",
        "NameConstraints",
        "OtherNames",
        "SecretsFilteredCaching",
        "StableCertificateRequestName",
    },
    "ALPHA": {
        "ACMEUseARI",
        "ExperimentalCertificateSigningRequestControllers",
        "ListenerSets",
        "ServerSideApply",
        "UseCertificateRequestBasicConstraints",
    },
    "NO EFFECT": {"ValidateCAA"},
}


def test_each_gate_of_upstream_is_known_with_its_stage_and_default() -> None:
    found = {stage.value: {gate.name for gate in KNOWN if gate.stage is stage} - {MLDSA} for stage in Stage}

    assert found == UPSTREAM
    assert {gate.name for gate in KNOWN if gate.default} == UPSTREAM["GA"] | UPSTREAM["BETA"]


def test_nothing_said_is_the_defaults() -> None:
    assert read_gates([]) == Gates()
    assert ROTATE_ALWAYS in Gates()
    assert ARI not in Gates()


def test_names_outweigh_stages_and_the_last_word_holds() -> None:
    found = read_gates(["ACMEUseARI=false", "AllAlpha=true", f"{ROTATE_ALWAYS}=T", f"{ROTATE_ALWAYS} = 0"])

    assert ARI not in found
    assert MLDSA in found
    assert ROTATE_ALWAYS not in found


def test_a_switch_without_anything_behind_it_is_named() -> None:
    assert read_gates(["ListenerSets=true", "OtherNames=false", "ACMEUseARI=true"]).idle == ("ListenerSets",)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("ACMEUseAri=true", "there is no feature gate 'ACMEUseAri'"),
        ("ACMEUseARI", "write ACMEUseARI=true or ACMEUseARI=false"),
        ("ACMEUseARI=yes", "write ACMEUseARI=true or ACMEUseARI=false"),
        ("=true", "there is no feature gate ''"),
    ],
)
def test_what_says_nothing_is_refused(value: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        read_gates([value])
