"""DNS questions to the nameservers that were chosen, over UDP, TCP and HTTPS (RFC 8484)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from certwright.rest import RestClient, RestError, RestOptions, RestRequest, Transport
from certwright.solvers.dns01.base import DNS_TIMEOUT
from certwright.solvers.dns01.nameserver import Nameserver, addresses, parse_nameserver

# dnspython is imported where a question is asked or read, since most starts have none.
if TYPE_CHECKING:
    import dns.message

LARGEST_DOH_ANSWER = 128 * 1024
LARGEST_RESOLV_CONF = 64 * 1024
PUBLIC_RESOLVERS = ("8.8.8.8:53", "8.8.4.4:53")
DNS_MESSAGE = "application/dns-message"


class DnsOptions(Struct, frozen=True, kw_only=True):
    """Which nameservers are asked. `recursive_nameservers` are `host[:port]` or DNS-over-HTTPS URLs.

    `authoritative_addresses` gives, for the host name of an authoritative nameserver, the `address:port` that is
    asked in its place: for servers that do not listen on port 53. `ca_bundle` is PEM that is trusted for
    DNS-over-HTTPS besides the system's roots.
    """

    recursive_nameservers: tuple[str, ...] = PUBLIC_RESOLVERS
    recursive_only: bool = False
    timeout: timedelta = DNS_TIMEOUT
    authoritative_addresses: Mapping[str, str] = {}
    ca_bundle: bytes = b""


class DnsFailure(Exception):
    """No nameserver that was asked gave an answer that says anything; the message is a sentence for a status."""


def system_nameservers(path: Path = Path("/etc/resolv.conf")) -> tuple[str, ...]:
    """The nameservers that the machine uses; two public ones where it names none."""
    try:
        with path.open("rb") as file:
            lines = file.read(LARGEST_RESOLV_CONF).decode(errors="replace").splitlines()
    except OSError:
        return PUBLIC_RESOLVERS
    words = [line.split() for line in lines]
    found = tuple(each[1] for each in words if len(each) > 1 and each[0] == "nameserver")
    # A scope such as `%eth0` stays: the system's resolver takes it as part of the address.
    return found or PUBLIC_RESOLVERS


class DnsClient:
    """Asks one nameserver, or the recursive ones in turn."""

    def __init__(self, transport: Transport, options: DnsOptions) -> None:
        self.options = options
        self._over_https = {
            url: RestClient(transport, _doh_options(url, options))
            for url in options.recursive_nameservers
            if url.startswith("https://")
        }

    async def recursive(self, name: str, kind: str) -> dns.message.Message:
        """The first answer of a recursive nameserver that is NOERROR or NXDOMAIN; DnsFailure where none gives one."""
        reasons: list[str] = []
        for server in self.options.recursive_nameservers:
            try:
                return await self.ask(server, name, kind)
            except DnsFailure as failure:
                reasons.append(str(failure))
        raise DnsFailure("; ".join(reasons) or "no recursive nameserver is configured")

    async def ask(self, server: str, name: str, kind: str, recursion: bool = True) -> dns.message.Message:
        """The answer of one nameserver, NOERROR or NXDOMAIN; DnsFailure otherwise."""
        import dns.exception
        import dns.flags
        import dns.message
        import dns.rcode

        try:
            query = dns.message.make_query(name, kind, use_edns=0, payload=1232)
            if not recursion:
                query.flags &= ~dns.flags.RD
            answer = await self._exchange(server, query)
        except dns.exception.Timeout as error:
            raise DnsFailure(f"{server} did not answer within {self.options.timeout.total_seconds():g} s") from error
        except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
            words = str(error) or type(error).__name__
            raise DnsFailure(f"{server} could not be asked for {kind} of {name}: {words}") from error
        if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise DnsFailure(f"{server} answered {dns.rcode.to_text(answer.rcode())} for {kind} of {name}")
        return answer

    async def _exchange(self, server: str, query: dns.message.Message) -> dns.message.Message:
        if server in self._over_https:
            return await _ask_https(self._over_https[server], server, query)
        where = parse_nameserver(server)
        found = await addresses(where)
        return await self._over_port(Nameserver(found[0], where.port), query)

    async def _over_port(self, where: Nameserver, query: dns.message.Message) -> dns.message.Message:
        import dns.asyncquery

        seconds = self.options.timeout.total_seconds()
        answer, _ = await dns.asyncquery.udp_with_fallback(query, where.host, seconds, where.port)
        return answer


def _doh_options(url: str, options: DnsOptions) -> RestOptions:
    return RestOptions(
        base_url=url, timeout=options.timeout, body_limit=LARGEST_DOH_ANSWER, ca_bundle=options.ca_bundle
    )


async def _ask_https(client: RestClient, url: str, query: dns.message.Message) -> dns.message.Message:
    import dns.message

    headers = {"Accept": DNS_MESSAGE, "Content-Type": DNS_MESSAGE}
    try:
        answer = await client.send(RestRequest(method="POST", path=url, headers=headers, body=query.to_wire()))
    except RestError as error:
        raise DnsFailure(error.message) from error
    message = dns.message.from_wire(answer.body)
    if not query.is_response(message):
        raise DnsFailure(f"{url} answered another question than was asked")
    return message


def texts(answer: dns.message.Message, name: str) -> set[str]:
    """The TXT values of that name in the answer, each put together from its strings."""
    import dns.name
    import dns.rdatatype

    wanted = dns.name.from_text(name)
    return {
        b"".join(rdata.strings).decode(errors="replace")
        for rrset in answer.answer
        if rrset.name == wanted and rrset.rdtype == dns.rdatatype.TXT
        for rdata in rrset
    }


def targets(answer: dns.message.Message, name: str, kind: str) -> Sequence[str]:
    """What the records of that name and kind (CNAME, NS, A, AAAA) point to, in a stable order."""
    import dns.name
    import dns.rdatatype

    wanted, rdtype = dns.name.from_text(name), dns.rdatatype.from_text(kind)
    found = {
        rdata.to_text().lower()
        for rrset in answer.answer
        if rrset.name == wanted and rrset.rdtype == rdtype
        for rdata in rrset
    }
    return sorted(found)
