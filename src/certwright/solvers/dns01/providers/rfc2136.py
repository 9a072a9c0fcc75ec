"""Any nameserver that takes dynamic updates (RFC 2136), signed with TSIG (RFC 8945)."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.update
from msgspec import Struct

from certwright.errors import Blocked, Retry
from certwright.rest import SecretText
from certwright.solvers.dns01.base import DnsProvider, Tools, TxtRecord
from certwright.solvers.dns01.nameserver import addresses, parse_nameserver

TTL = timedelta(seconds=60)

ALGORITHMS = {
    "HMACMD5": dns.tsig.HMAC_MD5,
    "HMACSHA1": dns.tsig.HMAC_SHA1,
    "HMACSHA256": dns.tsig.HMAC_SHA256,
    "HMACSHA512": dns.tsig.HMAC_SHA512,
}


class Rfc2136Config(Struct, frozen=True, rename="camel"):
    """`tsig_secret` is base64, as `tsig-keygen` prints it; without a key name updates are not signed."""

    nameserver: str
    tsig_key_name: str = ""
    tsig_secret: SecretText | None = None
    tsig_algorithm: str = "HMACMD5"
    protocol: str = "UDP"


class _Key(dns.tsig.Key):
    """A key whose repr does not show the secret."""

    def __repr__(self) -> str:
        return f"TSIG key {self.name}"


class Rfc2136(DnsProvider):
    """One update message a call: it names one value, so that other values of the name stay."""

    def __init__(self, config: Rfc2136Config, tools: Tools) -> None:
        try:
            self._server = parse_nameserver(config.nameserver)
        except ValueError as error:
            raise Blocked("InvalidSolver", f"rfc2136: {error}") from error
        self._key = _key(config)
        self._protocol = config.protocol.upper() or "UDP"
        if self._protocol not in {"UDP", "TCP"}:
            raise Blocked("InvalidSolver", f"rfc2136: protocol {config.protocol!r} is not known; write UDP or TCP")
        self._timeout = tools.timeout.total_seconds()

    async def add(self, record: TxtRecord) -> None:
        update = self._update(record)
        update.add(record.name, int(record.ttl.total_seconds()), "TXT", f'"{record.value}"')
        await self._send(update, record)

    async def remove(self, record: TxtRecord) -> None:
        update = self._update(record)
        update.delete(record.name, "TXT", f'"{record.value}"')
        await self._send(update, record)

    def _update(self, record: TxtRecord) -> dns.update.UpdateMessage:
        update = dns.update.UpdateMessage(record.zone)
        if self._key is not None:
            update.use_tsig(self._key)
        return update

    async def _send(self, update: dns.update.UpdateMessage, record: TxtRecord) -> None:
        try:
            answer = await self._answer(update)
        except dns.tsig.PeerError as error:
            raise Retry(f"{self._name}: the server did not accept the TSIG key: {error}; {CHECK_KEY}") from error
        except dns.exception.Timeout as error:
            raise Retry(f"{self._name} did not answer within {self._timeout:g} s") from error
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise Retry(f"{self._name} gave no usable answer: {str(error) or type(error).__name__}") from error
        if answer.rcode() != dns.rcode.NOERROR:
            raise Retry(f"{self._name} refused to update zone {record.zone}: {_words(answer)}")

    async def _answer(self, update: dns.update.UpdateMessage) -> dns.message.Message:
        address, *_ = await addresses(self._server)
        if self._protocol == "TCP":
            return await dns.asyncquery.tcp(update, address, self._timeout, self._server.port)
        return await dns.asyncquery.udp(update, address, self._timeout, self._server.port)

    @property
    def _name(self) -> str:
        return f"rfc2136: {self._server}"


CHECK_KEY = "check tsigKeyName, tsigAlgorithm and the Secret"

_HINTS = {
    dns.rcode.REFUSED: "the server's policy does not let this key change the record; allow it there",
    dns.rcode.NOTAUTH: f"it is not the primary server of the zone, or does not know the key; {CHECK_KEY}",
    dns.rcode.NOTZONE: "the name is not in that zone",
    dns.rcode.SERVFAIL: "the server failed; see its log",
}


def _words(answer: dns.message.Message) -> str:
    rcode = dns.rcode.to_text(answer.rcode())
    hint = _HINTS.get(answer.rcode())
    return f"{rcode} ({hint})" if hint else rcode


def _key(config: Rfc2136Config) -> dns.tsig.Key | None:
    if not config.tsig_key_name and not config.tsig_secret:
        return None
    if not config.tsig_key_name or not config.tsig_secret:
        raise Blocked("InvalidSolver", "rfc2136: tsigKeyName and tsigSecretSecretRef are given together or not at all")
    algorithm = ALGORITHMS.get(config.tsig_algorithm.upper() or "HMACMD5")
    if algorithm is None:
        known = ", ".join(ALGORITHMS)
        raise Blocked("InvalidSolver", f"rfc2136: tsigAlgorithm {config.tsig_algorithm!r} is not one of {known}")
    return _Key(_key_name(config.tsig_key_name), _key_bytes(config.tsig_secret), algorithm)


def _key_name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except dns.exception.DNSException as error:
        raise Blocked("InvalidSolver", f"rfc2136: tsigKeyName is no domain name: {error}") from error


def _key_bytes(secret: SecretText) -> bytes:
    try:
        return base64.b64decode("".join(secret.reveal().split()), validate=True)
    except (binascii.Error, ValueError):
        # Without the cause: it could hold a piece of the secret.
        raise Blocked(
            "InvalidSolver", "rfc2136: the TSIG secret is not base64; store it as tsig-keygen prints it"
        ) from None
