"""Fields of a Certificate that a feature gate can switch off."""

from __future__ import annotations

from collections.abc import Iterator

from certwright.api import certmanager_v1 as cm
from certwright.rules.gates import LITERAL_SUBJECT, NAME_CONSTRAINTS, OTHER_NAMES, Gates
from certwright.rules.validation import FORBIDDEN, Problem

FIELD_GATES = (LITERAL_SUBJECT, NAME_CONSTRAINTS, OTHER_NAMES)


def gated_problems(spec: cm.CertificateSpec, gates: Gates) -> Iterator[Problem]:
    """Fields that are set though their feature is off."""
    fields = (
        (LITERAL_SUBJECT, "literalSubject", bool(spec.literal_subject)),
        (OTHER_NAMES, "otherNames", bool(spec.other_names)),
        (NAME_CONSTRAINTS, "nameConstraints", spec.name_constraints is not None),
    )
    for gate, field, is_set in fields:
        if is_set and gate not in gates:
            text = f"The feature gate {gate} is off; leave the field out, or switch the gate on."
            yield Problem(f"spec.{field}", text, FORBIDDEN)
