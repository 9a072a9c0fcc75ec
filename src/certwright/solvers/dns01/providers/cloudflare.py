"""Cloudflare, by a global API key with its e-mail address or by an API token."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from msgspec import Struct

from certwright.errors import Blocked, Retry
from certwright.rest import RestClient, RestError, RestOptions, RestRequest, SecretText
from certwright.solvers.dns01.base import DnsProvider, Tools, TxtRecord, speaking_for

TTL = timedelta(seconds=120)
API = "https://api.cloudflare.com/client/v4"
MOST_PAGES = 50

# Error codes of the API, https://developers.cloudflare.com/api: the record is there already, or is gone already.
ALREADY_THERE = {81057, 81058}
ALREADY_GONE = {81044}


class CloudflareConfig(Struct, frozen=True, rename="camel"):
    """Either `email` and `api_key`, or `api_token`."""

    email: str = ""
    api_key: SecretText | None = None
    api_token: SecretText | None = None


class _Zone(Struct):
    id: str
    name: str


class _Record(Struct):
    id: str
    content: str


class _Pages(Struct, frozen=True):
    total_pages: int = 1


class _Zones(Struct):
    result: list[_Zone]


class _Records(Struct):
    result: list[_Record]
    result_info: _Pages = _Pages()


class _Error(Struct):
    code: int = 0


class _Failure(Struct):
    errors: list[_Error] = []


class Cloudflare(DnsProvider):
    """Each value is a record of its own, so several values of one name live side by side."""

    def __init__(self, config: CloudflareConfig, tools: Tools) -> None:
        options = RestOptions(base_url=tools.endpoints.get("cloudflare", API), headers=_credentials(config))
        self._client = RestClient(tools.transport, options)

    async def add(self, record: TxtRecord) -> None:
        with speaking_for("Cloudflare"):
            records = await self._records(record)
            if await self._mine(records, record):
                return
            document = {
                "type": "TXT",
                "name": record.name.rstrip("."),
                "content": f'"{record.value}"',
                "ttl": int(record.ttl.total_seconds()),
            }
            await self._send_unless(RestRequest(method="POST", path=records, json=document), ALREADY_THERE)

    async def remove(self, record: TxtRecord) -> None:
        with speaking_for("Cloudflare"):
            records = await self._records(record)
            for mine in await self._mine(records, record):
                path = f"{records}/{mine.id}"
                await self._send_unless(RestRequest(method="DELETE", path=path), ALREADY_GONE)

    async def _records(self, record: TxtRecord) -> str:
        """The path of the records of the zone, or of the closest parent that Cloudflare hosts."""
        labels = record.zone.rstrip(".").split(".")
        for start in range(max(len(labels) - 1, 1)):
            name = ".".join(labels[start:])
            request = RestRequest(method="GET", path="zones", query=(("name", name),))
            for zone in (await self._client.send(request)).json(_Zones).result:
                return f"zones/{zone.id}/dns_records"
        raise Retry(
            f"Cloudflare: these credentials see no zone {record.zone.rstrip('.')}; add the zone to the account, "
            "or give the token Zone:Read and DNS:Edit for it"
        )

    async def _mine(self, path: str, record: TxtRecord) -> list[_Record]:
        """The records of that name with our value, which the API returns quoted or as it was written."""
        found: list[_Record] = []
        for page in range(1, MOST_PAGES + 1):
            name = ("name", record.name.rstrip("."))
            query = (("type", "TXT"), name, ("per_page", "100"), ("page", str(page)))
            answer = (await self._client.send(RestRequest(method="GET", path=path, query=query))).json(_Records)
            found += [each for each in answer.result if each.content.strip('"') == record.value]
            if page >= answer.result_info.total_pages:
                break
        return found

    async def _send_unless(self, request: RestRequest, harmless: set[int]) -> None:
        try:
            await self._client.send(request)
        except RestError as error:
            if not harmless & _codes(error):
                raise


def _credentials(config: CloudflareConfig) -> dict[str, str | SecretText]:
    if config.api_key and config.api_token:
        raise Blocked("InvalidSolver", "Cloudflare: give either an API key or an API token, not both")
    if config.api_token:
        return {"Authorization": SecretText(f"Bearer {config.api_token.reveal().strip()}")}
    if not config.api_key:
        raise Blocked("InvalidSolver", "Cloudflare: no credentials are given; set apiTokenSecretRef or apiKeySecretRef")
    if not config.email:
        raise Blocked("InvalidSolver", "Cloudflare: an API key needs the e-mail address of its account; set email")
    return {"X-Auth-Email": config.email.strip(), "X-Auth-Key": SecretText(config.api_key.reveal().strip())}


def _codes(error: RestError) -> set[int]:
    try:
        return {each.code for each in msgspec.json.decode(error.body, type=_Failure).errors}
    except msgspec.DecodeError:
        return set()
