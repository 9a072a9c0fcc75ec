"""What is allowed and told."""

from __future__ import annotations

import pytest
from tests.unit.rules.sample import spec

from certwright.rules.certificate_warnings import certificate_warnings
from certwright.rules.validation import certificate_problems


@pytest.mark.parametrize(
    ("percentage", "told"), [(None, False), (1, False), (99, False), (0, True), (100, True), (-5, True)]
)
def test_a_percentage_that_will_be_ignored(percentage: int | None, told: bool) -> None:
    wanted = spec(renewBeforePercentage=percentage)

    assert certificate_problems(wanted) == ()
    assert bool(certificate_warnings(wanted)) is told
