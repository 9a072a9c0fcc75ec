"""One JSON-over-HTTP piece with typed errors, for every cloud and CA."""

from __future__ import annotations

import hmac
import ipaddress
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Protocol, TypeVar

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

LONGEST_WORDS = 500
HIDDEN = "[hidden]"

T = TypeVar("T")


class Now(Protocol):
    """The part of a Clock that is needed to read a Retry-After that names a date."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""


class SecretText:
    """A secret that shows itself only to `reveal()`: its repr, str and format never hold the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "SecretText([hidden])"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretText):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((SecretText, self._value))


class RestError(Exception):
    """The other side did not do what was asked: `status` is its HTTP status, 0 where it gave no answer.

    `message` is a sentence with the other side's own words and no secret; `body` is its answer, cut at the
    client's limit, for callers that know the error shape of their API.
    """

    def __init__(self, status: int, message: str, retry_after: timedelta | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.body = body

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later: no answer, a time-out, a rate limit or a server fault."""
        return self.status in {0, 408, 425, 429} or self.status >= 500


class Proxies(Struct, frozen=True):
    """Which proxy a URL is fetched through, from the usual environment variables."""

    http: str = ""
    https: str = ""
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Proxies:
        """Read `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; the lower-case form wins where both are set."""

        def read(name: str) -> str:
            return environ.get(name.lower()) or environ.get(name.upper(), "")

        exceptions = tuple(word.strip().lower() for word in read("no_proxy").split(",") if word.strip())
        return cls(read("http_proxy"), read("https_proxy"), exceptions)

    def for_url(self, url: URL) -> str | None:
        """The proxy for this URL, None for a direct connection; loopback is always direct."""
        host = (url.host or "").lower().rstrip(".")
        if host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback):
            return None
        if any(_covers(rule, host, url.port) for rule in self.exceptions):
            return None
        return {"http": self.http, "https": self.https}.get(url.scheme) or None


class RestRequest(Struct, frozen=True, kw_only=True):
    """One request. `path` is relative to the client's base URL, or a whole URL of the same host."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str | SecretText] = {}
    json: object = msgspec.UNSET
    body: bytes = b""


class RestAnswer(Struct, frozen=True):
    """A 2xx answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, shape: type[T]) -> T:
        """The body as `shape`; RestError where it is something else."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except msgspec.DecodeError as error:
            message = f"the answer is not the JSON that was expected ({error}); check the server's address"
            raise RestError(self.status, message, body=self.body) from error


class RestOptions(Struct, frozen=True, kw_only=True):
    """Where a client talks to and how: `ca_bundle` is PEM that is trusted besides the system's roots."""

    base_url: str
    headers: Mapping[str, str | SecretText] = {}
    secrets: tuple[SecretText, ...] = ()
    timeout: timedelta = timedelta(seconds=30)
    body_limit: int = 4 * 1024 * 1024
    ca_bundle: bytes = b""
    skip_tls_verify: bool = False


class Transport:
    """The connections that all clients of a process share; an async context manager that closes them."""

    def __init__(self, clock: Now, proxies: Proxies | None = None, user_agent: str = "certwright") -> None:
        self.clock = clock
        self.proxies = proxies or Proxies()
        self.user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened at the first use on the running loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": self.user_agent}, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Transport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class RestClient:
    """Requests to one server. Redirects are not followed, since they could carry credentials elsewhere."""

    def __init__(self, transport: Transport, options: RestOptions) -> None:
        self._transport = transport
        self._options = options
        self._base = URL(options.base_url.rstrip("/") + "/")
        self._ssl = _tls(options)

    async def send(self, request: RestRequest) -> RestAnswer:
        """The answer where it is 2xx; RestError otherwise, also where no answer comes in time or it is too large."""
        url = self._url(request)
        timeout = aiohttp.ClientTimeout(total=self._options.timeout.total_seconds())
        try:
            async with self._transport.session.request(
                request.method,
                url,
                params=request.query or None,
                headers=self._headers(request),
                data=_body(request),
                allow_redirects=False,
                timeout=timeout,
                ssl=self._ssl,
                proxy=self._transport.proxies.for_url(url),
            ) as response:
                body = await read_bounded(response, self._options.body_limit)
                return self._checked(request, response, body)
        except TimeoutError as error:
            seconds = f"{self._options.timeout.total_seconds():g} s"
            raise RestError(0, f"{_what(request, url)} was not answered within {seconds}") from error
        except (aiohttp.ClientError, OSError) as error:
            words = self._redact(request, str(error) or type(error).__name__)
            raise RestError(0, f"{_what(request, url)} got no answer: {words}") from error

    def _url(self, request: RestRequest) -> URL:
        url = self._base.join(URL(request.path.removeprefix("/")))
        if url.origin() != self._base.origin():
            raise RestError(0, f"{url.origin()} was not asked: this client only talks to {self._base.origin()}")
        return url

    def _headers(self, request: RestRequest) -> dict[str, str]:
        headers: dict[str, str | SecretText] = {"Accept": "application/json"}
        if request.json is not msgspec.UNSET:
            headers["Content-Type"] = "application/json"
        headers |= {**self._options.headers, **request.headers}
        return {name: value.reveal() if isinstance(value, SecretText) else value for name, value in headers.items()}

    def _checked(self, request: RestRequest, response: aiohttp.ClientResponse, body: bytes) -> RestAnswer:
        if 200 <= response.status < 300:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return RestAnswer(response.status, headers, body)
        words = self._redact(request, words_of(body) or _phrase(response.status))
        message = f"{_what(request, response.url)} was answered with {response.status}: {words}"
        after = parse_retry_after(response.headers.get("Retry-After", ""), self._transport.clock.now())
        raise RestError(response.status, message, after, self._redact_body(request, body))

    def _secrets(self, request: RestRequest) -> list[str]:
        values = [*self._options.headers.values(), *request.headers.values(), *self._options.secrets]
        return [value.reveal() for value in values if isinstance(value, SecretText) and value]

    def _redact(self, request: RestRequest, words: str) -> str:
        return redact(words, self._secrets(request))[:LONGEST_WORDS]

    def _redact_body(self, request: RestRequest, body: bytes) -> bytes:
        return redact(body.decode(errors="replace"), self._secrets(request)).encode()


def redact(words: str, secrets: list[str]) -> str:
    """The words without any of the secrets, also where one of them is the credentials part of a header value."""
    parts = {part for secret in secrets for part in (secret, *secret.split()) if len(part) >= 4}
    for part in sorted(parts, key=len, reverse=True):
        if part.lower() not in {"bearer", "basic", "token"}:
            words = words.replace(part, HIDDEN)
    return words


async def read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body; RestError where it is larger than `limit` bytes, without reading the rest."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(64 * 1024):
        size += len(part)
        if size > limit:
            response.close()
            raise RestError(response.status, f"the answer of {response.url.host} is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """RFC 9110 10.2.3: seconds or a date, at least zero; None where the header is absent or says nothing."""
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return timedelta(seconds=int(value))
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))


def words_of(body: bytes) -> str:
    """What an error body says, from the shapes that cloud APIs use; empty where it has no words (HTML, no JSON)."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return " ".join(_words(document, depth=4).split())[:LONGEST_WORDS]


def _words(value: object, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(item, depth - 1) for item in value[:10])))
    if not isinstance(value, dict):
        return ""
    code = value.get("code")
    found = [_words(value[key], depth - 1) for key in ("error", "errors", "error_chain") if key in value]
    text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str) and value[key]), "")
    parts = [text, *found] if text else found
    said = ": ".join(filter(None, parts))
    return f"{said} ({code})" if said and isinstance(code, int | str) and code else said


_TEXT_KEYS = ("message", "error_description", "detail", "title", "Message", "error_message")


def _body(request: RestRequest) -> bytes | None:
    if request.json is not msgspec.UNSET:
        return msgspec.json.encode(request.json)
    return request.body or None


def _what(request: RestRequest, url: URL) -> str:
    return f"{request.method} {url.with_query(None).with_user(None)}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an unknown status"


def _tls(options: RestOptions) -> ssl.SSLContext | bool:
    if options.skip_tls_verify:
        return False
    if not options.ca_bundle:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cadata=options.ca_bundle.decode("ascii", errors="replace"))
    except ssl.SSLError as error:
        raise RestError(0, "the CA bundle holds no certificate that can be read; give PEM certificates") from error
    return context


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _covers(rule: str, host: str, port: int | None) -> bool:
    if rule == "*":
        return True
    if "/" in rule:
        return _network_covers(rule, host)
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit() and ":" not in name.strip("[]"):
        if int(wanted) != port:
            return False
        rule = name
    rule = rule.strip("[]").removeprefix("*")
    return host == rule.removeprefix(".") or host.endswith("." + rule.removeprefix("."))


def _network_covers(rule: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False
