"""`--controllers` in cert-manager's words."""

from __future__ import annotations

import pytest

from certwright.app.choice import NAMES, chosen
from certwright.app.running import ProcessError


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["*"], set(NAMES)),
        (["*", "-orders"], set(NAMES) - {"orders"}),
        (["issuers", "certificates-issuing"], {"issuers", "certificates"}),
        (["*", "-clusterissuers"], set(NAMES)),
        (["*", "-clusterissuers", "-issuers"], set(NAMES) - {"issuers"}),
        (["ingress-shim"], set()),
        ([], set()),
    ],
)
def test_words_choose_controllers(words: list[str], ours: set[str]) -> None:
    assert chosen(words) == ours


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProcessError, match="'order' is no controller; known are certificaterequests-approver"):
        chosen(["order"])
