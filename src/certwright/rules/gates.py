"""Feature gates: names, stages and defaults of cert-manager 1.21, and ours."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct


class Stage(Enum):
    """How settled a feature is; `AllAlpha` and `AllBeta` switch those of a stage."""

    ALPHA = "ALPHA"
    BETA = "BETA"
    GA = "GA"
    NO_EFFECT = "NO EFFECT"


class Gate(Struct, frozen=True):
    """A feature that can be switched."""

    name: str
    stage: Stage
    default: bool
    switches: bool = False
    """Whether the value other than the default changes anything here."""


ARI = "ACMEUseARI"
BASIC_CONSTRAINTS = "UseCertificateRequestBasicConstraints"
LITERAL_SUBJECT = "LiteralCertificateSubject"
MLDSA = "MLDSA"
NAME_CONSTRAINTS = "NameConstraints"
OTHER_NAMES = "OtherNames"
ROTATE_ALWAYS = "DefaultPrivateKeyRotationPolicyAlways"

KNOWN = (
    Gate("AdditionalCertificateOutputFormats", Stage.GA, default=True),
    Gate("DisallowInsecureCSRUsageDefinition", Stage.GA, default=True),
    Gate("UseDomainQualifiedFinalizer", Stage.GA, default=True),
    Gate(ROTATE_ALWAYS, Stage.GA, default=True, switches=True),
    Gate("CAInjectorMerging", Stage.GA, default=True),
    Gate("StableCertificateRequestName", Stage.BETA, default=True),
    Gate("SecretsFilteredCaching", Stage.BETA, default=True),
    Gate("ExperimentalGatewayAPISupport", Stage.BETA, default=True),
    Gate(LITERAL_SUBJECT, Stage.BETA, default=True, switches=True),
    Gate(NAME_CONSTRAINTS, Stage.BETA, default=True, switches=True),
    Gate(OTHER_NAMES, Stage.BETA, default=True, switches=True),
    Gate("ACMEHTTP01IngressPathTypeExact", Stage.BETA, default=True),
    Gate("ExperimentalCertificateSigningRequestControllers", Stage.ALPHA, default=False),
    Gate("ServerSideApply", Stage.ALPHA, default=False),
    Gate(BASIC_CONSTRAINTS, Stage.ALPHA, default=False, switches=True),
    Gate("ListenerSets", Stage.ALPHA, default=False),
    Gate(ARI, Stage.ALPHA, default=False, switches=True),
    Gate("ValidateCAA", Stage.NO_EFFECT, default=False),
    Gate(MLDSA, Stage.ALPHA, default=False, switches=True),
)
_BY_NAME = {gate.name: gate for gate in KNOWN}
_META = {"AllAlpha": Stage.ALPHA, "AllBeta": Stage.BETA}
# As Go's strconv.ParseBool reads them.
_BOOLS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "FALSE", "false", "False"), False
)


class Gates(Struct, frozen=True):
    """Which features are on, and which of the values that were given change nothing here."""

    on: frozenset[str] = frozenset(gate.name for gate in KNOWN if gate.default)
    idle: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.on


DEFAULTS = Gates()


def read_gates(values: Iterable[str]) -> Gates:
    """Gates as a flag writes them, `Name=true`; the last one of a name holds, and names outweigh whole stages.

    Raises ValueError with a sentence for a name that is not known and a value that is neither true nor false.
    """
    given = dict(map(_pair, values))
    state = {gate.name: given.get(gate.name, _of_stage(gate, given)) for gate in KNOWN}
    idle = (gate.name for gate in KNOWN if not gate.switches and state[gate.name] != gate.default)
    return Gates(on=frozenset(name for name, on in state.items() if on), idle=tuple(idle))


def _pair(text: str) -> tuple[str, bool]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if name not in _BY_NAME and name not in _META:
        raise ValueError(f"there is no feature gate {name!r}: known are {', '.join(sorted([*_BY_NAME, *_META]))}")
    if not equals or value not in _BOOLS:
        raise ValueError(f"{text!r} does not say whether {name} is on: write {name}=true or {name}=false")
    return name, _BOOLS[value]


def _of_stage(gate: Gate, given: dict[str, bool]) -> bool:
    found = [on for name, on in given.items() if _META.get(name) is gate.stage]
    return found[-1] if found else gate.default
