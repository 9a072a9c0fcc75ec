"""BIND 9, the nameserver for tests, as a real process with dynamic zones and TSIG keys."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import dns.message
import dns.query
import dns.rdatatype
from tests import judges
from tests.kubernetes.processes import Process, free_ports

ALGORITHMS = {
    "HMACMD5": "hmac-md5",
    "HMACSHA1": "hmac-sha1",
    "HMACSHA256": "hmac-sha256",
    "HMACSHA512": "hmac-sha512",
}


class TsigKey(NamedTuple):
    """A key that may update every zone that takes updates; `secret` is base64."""

    name: str
    secret: str


class Bind:
    """One nameserver on a free port of 127.0.0.1, primary for `zones` and for `locked`, which takes no update."""

    def __init__(self, folder: Path, zones: Iterable[str], locked: Iterable[str] = ()) -> None:
        self._folder = folder
        self._zones = tuple(zones)
        self._locked = tuple(locked)
        [self.port] = free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self._process: Process | None = None

    def start(self) -> None:
        """Return when all zones are served; raises StartFailed."""
        for zone in (*self._zones, *self._locked):
            (self._folder / f"{zone}zone").write_text(_zone_file(zone))
        config = self._folder / "named.conf"
        config.write_text(self._config())
        log = self._folder / "named.log"
        command = [str(judges.require("bind9")), "-g", "-4", "-n", "1", "-c", str(config)]
        self._process = Process("named", command, log)
        self._process.wait_until(lambda: b"all zones loaded" in log.read_bytes())

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self._process is not None:
            self._process.stop()

    def key(self, algorithm: str) -> TsigKey:
        """The key of that algorithm (as users write it)."""
        secret = hashlib.sha512(algorithm.encode()).digest()[:32]
        return TsigKey(f"{algorithm.lower()}.key.", base64.b64encode(secret).decode())

    def texts(self, name: str) -> dict[str, int]:
        """The TXT values of that name that it serves now, with their TTL in seconds."""
        query = dns.message.make_query(name, "TXT")
        answer = dns.query.tcp(query, "127.0.0.1", timeout=10, port=self.port)
        return {
            b"".join(rdata.strings).decode(): rrset.ttl
            for rrset in answer.answer
            if rrset.rdtype == dns.rdatatype.TXT
            for rdata in rrset
        }

    def log(self) -> str:
        """What it has told so far, each update among it."""
        return (self._folder / "named.log").read_text(errors="replace")

    def _config(self) -> str:
        keys = [
            f'key "{self.key(word).name}" {{ algorithm {name}; secret "{self.key(word).secret}"; }};'
            for word, name in ALGORITHMS.items()
        ]
        allowed = " ".join(f'key "{self.key(word).name}";' for word in ALGORITHMS)
        zones = [self._zone(zone, allowed) for zone in self._zones]
        return "\n".join([*keys, self._options(), *zones, *(self._zone(zone, "none;") for zone in self._locked)])

    def _options(self) -> str:
        return (
            f'options {{ directory "{self._folder}"; pid-file none; session-keyfile none; '
            f"listen-on port {self.port} {{ 127.0.0.1; }}; recursion no; dnssec-validation no; "
            f"notify no; empty-zones-enable no; }};\ncontrols {{ }};"
        )

    def _zone(self, zone: str, allowed: str) -> str:
        return f'zone "{zone}" {{ type primary; file "{zone}zone"; allow-update {{ {allowed} }}; }};'


def _zone_file(zone: str) -> str:
    return (
        f"$TTL 60\n@ IN SOA ns1.{zone} hostmaster.{zone} 1 3600 600 86400 5\n@ IN NS ns1.{zone}\nns1 IN A 127.0.0.1\n"
    )
