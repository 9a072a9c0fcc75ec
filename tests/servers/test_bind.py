"""The BIND of the test rig: serves its zones, and takes updates with its keys only."""

from __future__ import annotations

from collections.abc import Iterator

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest
from tests.servers.bind import ALGORITHMS, Bind

pytestmark = pytest.mark.needs("bind9")


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    server = Bind(tmp_path_factory.mktemp("bind"), ["rig.test."], ["locked.test."])
    server.start()
    yield server
    server.stop()


def _send(bind: Bind, zone: str, algorithm: str = "") -> dns.rcode.Rcode:
    update = dns.update.UpdateMessage(zone)
    if algorithm:
        key = bind.key(algorithm)
        # dnspython knows MD5 by its longer name of RFC 8945 section 6.
        name = dns.tsig.HMAC_MD5 if algorithm == "HMACMD5" else ALGORITHMS[algorithm]
        update.use_tsig(dns.tsig.Key(key.name, key.secret, name))
    update.add(f"{algorithm.lower() or 'nobody'}.{zone}", 30, "TXT", "there")
    return dns.query.tcp(update, "127.0.0.1", timeout=10, port=bind.port).rcode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_key_may_update(bind: Bind, algorithm: str) -> None:
    assert _send(bind, "rig.test.", algorithm) == dns.rcode.NOERROR

    assert bind.texts(f"{algorithm.lower()}.rig.test.") == {"there": 30}


def test_nobody_else_may(bind: Bind) -> None:
    assert _send(bind, "rig.test.") == dns.rcode.REFUSED

    assert bind.texts("nobody.rig.test.") == {}


def test_a_locked_zone_takes_no_update(bind: Bind) -> None:
    assert _send(bind, "locked.test.", "HMACSHA256") == dns.rcode.REFUSED
