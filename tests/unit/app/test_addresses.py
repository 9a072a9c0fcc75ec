"""Which addresses of its own a controller names."""

from __future__ import annotations

import pytest

from certwright.app.addresses import own_addresses


@pytest.mark.parametrize(
    ("environ", "server", "found"),
    [
        ({"POD_IP": "10.1.2.3"}, "https://127.0.0.1:6443", ("10.1.2.3",)),
        ({"POD_IPS": "10.1.2.3,fd00::7", "POD_IP": "10.1.2.3"}, "https://127.0.0.1:6443", ("10.1.2.3", "fd00::7")),
        ({}, "https://127.0.0.1:6443", ()),
        ({}, "http://localhost", ()),
        ({}, "https://no-such-host.invalid:6443", ()),
    ],
)
def test_the_pod_s_addresses_count_and_loopback_does_not(
    environ: dict[str, str], server: str, found: tuple[str, ...]
) -> None:
    assert own_addresses(environ, server) == found
