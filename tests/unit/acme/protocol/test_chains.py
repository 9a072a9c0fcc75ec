from __future__ import annotations

from datetime import UTC, datetime

import pytest

from certwright.acme.protocol.chains import read_chain, top_issuer_name
from certwright.pki import pem
from certwright.pki.authority import issue_server, new_authority
from certwright.pki.pem import DEFAULT_LIMITS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = new_authority("Example Root X1", NOW)
LEAF = issue_server(ROOT, ["a.test"], [], NOW)


def test_the_top_of_a_chain_names_its_issuer() -> None:
    chain = read_chain(LEAF.cert_pem + ROOT.cert_pem)

    assert len(chain) == 2
    assert top_issuer_name(chain) == "Example Root X1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no PEM block"),
        (LEAF.key_pem, "PRIVATE KEY"),
        (pem.write(pem.CERTIFICATE, b"nothing"), "no certificate"),
        (LEAF.cert_pem * (DEFAULT_LIMITS.chain // len(LEAF.cert_pem) + 1), "more than"),
    ],
)
def test_what_is_no_chain_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_chain(text)
