"""A stand-in of Cloudflare's API v4, strict in authentication and shapes, whose records a DNS server really serves."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from aiohttp import web
from dns.exception import DNSException
from msgspec import Struct

from certwright.app.stand_ins.dns import DnsServer
from certwright.rest import SecretText

PREFIX = "/client/v4"
LARGEST_BODY = 64 * 1024
# A global API key has 37 characters; newer kinds of keys are a little longer.
KEY_LENGTHS = range(37, 46)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Account(Struct, frozen=True):
    """Who may change the zones: a global API key with its e-mail address, or a token.

    Keys of other lengths than `key_lengths` are refused by their format, as the real API does.
    """

    email: str = ""
    api_key: SecretText = SecretText("")
    api_token: SecretText = SecretText("")
    key_lengths: range = KEY_LENGTHS


class Call(Struct, frozen=True):
    """A request that came in, without its credentials."""

    method: str
    path: str
    query: Mapping[str, str]


class _NewRecord(Struct, forbid_unknown_fields=True):
    type: str
    name: str
    content: str
    ttl: int = 1
    proxied: bool = False
    comment: str = ""


class _Record(Struct):
    id: str
    zone_id: str
    zone_name: str
    name: str
    type: str
    content: str
    ttl: int
    proxiable: bool = False
    proxied: bool = False


class CloudflareApi:
    """The part of the API that DNS-01 needs: zones by name, and TXT records of a zone.

    `refusal` may give an answer in the place of the real one, for tests of failures.
    """

    def __init__(self, account: Account, zones: Sequence[str], dns: DnsServer) -> None:
        self.calls: list[Call] = []
        self.refusal: Callable[[web.Request], web.Response | None] = lambda _: None
        self._account = account
        self._zones = {f"{number:032x}": zone.rstrip(".") for number, zone in enumerate(zones, start=1)}
        self._dns = dns
        self._records: dict[str, _Record] = {}
        self._next_id = 1
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; `url` is then the base URL for clients."""
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY)
        app.router.add_get(f"{PREFIX}/zones", self._list_zones)
        app.router.add_get(f"{PREFIX}/zones/{{zone}}/dns_records", self._list_records)
        app.router.add_post(f"{PREFIX}/zones/{{zone}}/dns_records", self._create_record)
        app.router.add_delete(f"{PREFIX}/zones/{{zone}}/dns_records/{{record}}", self._delete_record)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}{PREFIX}"

    async def stop(self) -> None:
        """Close the socket."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls.append(Call(request.method, request.path, dict(request.query)))
        refused = self.refusal(request) or self._refused_credentials(request)
        if refused is not None:
            return refused
        zone = request.match_info.get("zone")
        if zone is not None and zone not in self._zones:
            return failure(404, 7003, f"Could not route to {request.path}, perhaps your object identifier is invalid?")
        try:
            return await handler(request)
        except web.HTTPException as error:
            return failure(error.status, 7000, "No route for that URI")

    def _refused_credentials(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("Authorization")
        if token is not None:
            wanted = self._account.api_token
            good = bool(wanted) and hmac.compare_digest(token.encode(), f"Bearer {wanted.reveal()}".encode())
            return None if good else failure(401, 1000, "Invalid API Token")
        email, key = request.headers.get("X-Auth-Email", ""), request.headers.get("X-Auth-Key", "")
        if not email or not key:
            return failure(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if len(key) not in self._account.key_lengths:
            chain = [{"code": 6103, "message": "Invalid format for X-Auth-Key header"}]
            return failure(400, 6003, "Invalid request headers", chain)
        good = hmac.compare_digest(key.encode(), self._account.api_key.reveal().encode())
        return (
            None if good and email == self._account.email else failure(403, 9103, "Unknown X-Auth-Key or X-Auth-Email")
        )

    async def _list_zones(self, request: web.Request) -> web.Response:
        wanted = request.query.get("name", "")
        found = [
            {"id": identity, "name": zone, "status": "active", "paused": False, "type": "full"}
            for identity, zone in self._zones.items()
            if wanted in ("", zone)
        ]
        return _page(request, found)

    async def _list_records(self, request: web.Request) -> web.Response:
        query = request.query
        found = [
            each
            for each in self._records.values()
            if each.zone_id == request.match_info["zone"]
            and query.get("type", each.type) == each.type
            and query.get("name", each.name).lower() == each.name
        ]
        return _page(request, msgspec.to_builtins(found))

    async def _create_record(self, request: web.Request) -> web.Response:
        zone = request.match_info["zone"]
        try:
            new = msgspec.json.decode(await request.read(), type=_NewRecord)
        except msgspec.DecodeError as error:
            return failure(400, 9207, f"Request body is invalid. {error}")
        wrong = self._wrong(new, zone)
        if wrong is not None:
            return wrong
        try:
            self._dns.add(f"{new.name}.", "TXT", _quoted(new.content), new.ttl if new.ttl > 1 else 300)
        except DNSException as error:
            return failure(400, 9005, f"Content for TXT record is invalid. {error}")
        return _success(msgspec.to_builtins(self._kept(new, zone)))

    async def _delete_record(self, request: web.Request) -> web.Response:
        record = self._records.get(request.match_info["record"])
        if record is None or record.zone_id != request.match_info["zone"]:
            return failure(404, 81044, "Record does not exist.")
        del self._records[record.id]
        self._dns.remove(f"{record.name}.", "TXT", _quoted(record.content))
        return _success({"id": record.id})

    def _wrong(self, new: _NewRecord, zone: str) -> web.Response | None:
        apex = self._zones[zone]
        if new.type != "TXT":
            return failure(400, 9021, "Invalid TTL or type: this stand-in keeps TXT records only")
        if new.ttl != 1 and not 60 <= new.ttl <= 86400:
            return failure(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        if new.name.lower() != apex and not new.name.lower().endswith(f".{apex}"):
            return failure(400, 9003, "DNS name is invalid")
        same = (each for each in self._records.values() if each.zone_id == zone and each.name == new.name.lower())
        if any(_quoted(each.content) == _quoted(new.content) for each in same):
            return failure(400, 81058, "An identical record already exists.")
        return None

    def _kept(self, new: _NewRecord, zone: str) -> _Record:
        identity = f"{0xC10D << 64 | self._next_id:032x}"
        self._next_id += 1
        record = _Record(identity, zone, self._zones[zone], new.name.lower(), new.type, new.content, new.ttl)
        self._records[identity] = record
        return record


def failure(status: int, code: int, message: str, chain: list[dict[str, object]] | None = None) -> web.Response:
    """An answer in the API's error shape."""
    error: dict[str, object] = {"code": code, "message": message}
    if chain:
        error["error_chain"] = chain
    return _json(status, {"success": False, "errors": [error], "messages": [], "result": None})


def _success(result: object) -> web.Response:
    return _json(200, {"result": result, "success": True, "errors": [], "messages": []})


def _page(request: web.Request, found: list[dict[str, object]]) -> web.Response:
    try:
        page, size = int(request.query.get("page", "1")), int(request.query.get("per_page", "20"))
    except ValueError:
        return failure(400, 1004, "Invalid page or per_page")
    if page < 1 or not 1 <= size <= 5000:
        return failure(400, 1004, "Invalid page or per_page")
    shown = found[(page - 1) * size : page * size]
    pages = -(-len(found) // size)
    info = {"page": page, "per_page": size, "count": len(shown), "total_count": len(found), "total_pages": pages}
    return _json(200, {"result": shown, "success": True, "errors": [], "messages": [], "result_info": info})


def _json(status: int, document: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")


def _quoted(content: str) -> str:
    return content if content.startswith('"') else f'"{content}"'
