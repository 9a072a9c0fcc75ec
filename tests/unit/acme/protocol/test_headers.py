from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol import headers

BASE = "https://ca.test/acme/certificate/1"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (['<https://ca.test/a>;rel="alternate"'], ("https://ca.test/a",)),
        (["<https://ca.test/a>; rel=alternate"], ("https://ca.test/a",)),
        (['</a>;REL="alternate"'], ("https://ca.test/a",)),
        (["<2>;rel=alternate"], ("https://ca.test/acme/certificate/2",)),
        (
            ['<a>;rel="alternate", <b>;rel="alternate"'],
            ("https://ca.test/acme/certificate/a", "https://ca.test/acme/certificate/b"),
        ),
        (['<https://ca.test/a,b>;rel="alternate"'], ("https://ca.test/a,b",)),
        (['<a>;rel="up alternate"'], ("https://ca.test/acme/certificate/a",)),
        (['<a>;title="x";rel="alternate"'], ("https://ca.test/acme/certificate/a",)),
        (['<https://ca.test/dir>;rel="index"'], ()),
        (['<a>;rel="alternates"'], ()),
        (["<a>"], ()),
        (["a;rel=alternate"], ()),
        ([""], ()),
        ([], ()),
    ],
)
def test_links_of_a_relation(values: list[str], wanted: tuple[str, ...]) -> None:
    assert headers.links(values, "alternate", BASE) == wanted


@settings(deadline=None)
@given(st.lists(st.text(alphabet='<>;,="rel alternate', max_size=200), max_size=3))
def test_any_link_header_is_read_in_linear_time(values: list[str]) -> None:
    for found in headers.links(values, "alternate", BASE):
        assert found.startswith("https:") or ":" in found


def test_a_hostile_link_header_takes_no_time() -> None:
    assert headers.links(["<a>" + ";a=" * 5000 + "!"], "alternate", BASE) == ()
