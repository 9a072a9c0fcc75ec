"""Authorizations and their challenges (RFC 8555 section 7.5)."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from certwright.acme.protocol.challenges import key_authorization
from certwright.acme.protocol.keys import thumbprint
from certwright.acme.protocol.messages import Identifier, Status
from certwright.acme.protocol.problems import Problem
from certwright.acme.server.calls import Call, Parts, Reply, missing, owned
from certwright.acme.server.identifiers import WILDCARD, challenge_types_for
from certwright.acme.server.records import AccountRecord, AuthorizationRecord, ChallengeRecord, OrderRecord
from certwright.acme.server.refusals import malformed
from certwright.acme.server.validation import Claim, Validator
from certwright.acme.server.views import authorization_status, authorization_view, challenge_view

# How long what is over can still be looked at.
REMEMBERED = timedelta(days=30)


class _Change(Struct):
    status: str = ""


class AuthorizationDesk:
    """Answers what concerns authorizations, and has challenges checked beside the requests."""

    def __init__(self, parts: Parts, validator: Validator) -> None:
        self._parts = parts
        self._store = parts.store
        self._clock = parts.clock
        self._validator = validator
        self._checks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Check again what was being checked when the process ended."""
        for authorization in self._store.all(AuthorizationRecord):
            for number, challenge in enumerate(authorization.challenges):
                if challenge.status == Status.PROCESSING and not authorization.deactivated:
                    self._check_later(authorization, number)

    async def stop(self) -> None:
        """End the checks that are under way; `resume` begins them again."""
        for check in self._checks:
            check.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    def authorize(self, identifier: Identifier, account: str, until: datetime) -> AuthorizationRecord:
        """An authorization for an order: a valid one of the account where the CA reuses them, else a new one."""
        now, options = self._clock.now(), self._parts.options
        lookup = f"{identifier.type}:{identifier.value}"
        if options.orders.reuses_authorizations:
            for kept in reversed(self._store.find(AuthorizationRecord, lookup, account)):
                if authorization_status(kept, now) == Status.VALID and kept.until >= until:
                    return kept
        types = challenge_types_for(identifier, options.validation.challenge_types)
        if not types:
            raise malformed(f"this CA has no way to check {identifier.value}: its operator must offer a challenge type")
        # Wildcard and base domain are told apart by the flag alone (RFC 8555 section 7.1.4).
        return AuthorizationRecord(
            id=secrets.token_urlsafe(12),
            account=account,
            lookup=lookup,
            identifier=Identifier(identifier.type, identifier.value.removeprefix(WILDCARD)),
            wildcard=identifier.value.startswith(WILDCARD),
            until=until,
            expires=until + REMEMBERED,
            challenges=tuple(ChallengeRecord(type=kind, token=secrets.token_urlsafe(32)) for kind in types),
        )

    def of_order(self, order: OrderRecord) -> list[AuthorizationRecord]:
        """The order's authorizations, as far as they are still known."""
        found = (self._store.get(AuthorizationRecord, name) for name in order.authorizations)
        return [authorization for authorization in found if authorization is not None]

    async def authorization(self, call: Call) -> Reply:
        """Show the authorization, or give it up."""
        authorization = self._owned(call)
        if not call.is_reading:
            if call.read(_Change).status != Status.DEACTIVATED:
                raise malformed("an authorization can only be deactivated")
            authorization = msgspec.structs.replace(authorization, deactivated=True)
            self._store.put(authorization)
        view = authorization_view(authorization, self._clock.now(), call.base)
        return Reply(view=view, headers=self._pace(authorization))

    async def challenge(self, call: Call) -> Reply:
        """Show the challenge, or begin to check it; what was begun or decided before stays as it is."""
        authorization = self._owned(call)
        number = int(call.words[1]) if call.words[1].isdecimal() else -1
        if not 0 <= number < len(authorization.challenges):
            raise missing("challenge")
        now = self._clock.now()
        is_open = authorization_status(authorization, now) == Status.PENDING
        if not call.is_reading and is_open and not _is_begun(authorization):
            authorization = _with_challenge(authorization, number, status=Status.PROCESSING)
            self._store.put(authorization)
            self._check_later(authorization, number)
        return Reply(
            view=challenge_view(authorization, number, now, call.base),
            headers=self._pace(authorization),
            links=(f'<{call.base}/authorization/{authorization.id}>;rel="up"',),
        )

    def _owned(self, call: Call) -> AuthorizationRecord:
        authorization = self._store.get(AuthorizationRecord, call.words[0])
        if authorization is None:
            raise missing("authorization")
        owned(authorization.account, call, "authorization")
        return authorization

    def _pace(self, authorization: AuthorizationRecord) -> dict[str, str]:
        if authorization_status(authorization, self._clock.now()) != Status.PENDING or not _is_begun(authorization):
            return {}
        return {"Retry-After": str(round(self._parts.options.orders.retry_after.total_seconds()))}

    def _check_later(self, authorization: AuthorizationRecord, number: int) -> None:
        check = asyncio.get_running_loop().create_task(self._check(authorization, number))
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)

    async def _check(self, authorization: AuthorizationRecord, number: int) -> None:
        account = self._store.get(AccountRecord, authorization.account)
        if account is None:
            return
        challenge = authorization.challenges[number]
        proof = key_authorization(challenge.token, thumbprint(account.jwk))
        claim = Claim(challenge.type, authorization.identifier, challenge.token, proof)
        problem = await self._validator.problem_with(claim)
        self._decide(authorization.id, number, problem)

    def _decide(self, name: str, number: int, problem: Problem | None) -> None:
        authorization = self._store.get(AuthorizationRecord, name)
        if authorization is None:
            return
        now, wait = self._clock.now(), self._parts.mischief.pending_for
        decided = _with_challenge(
            authorization,
            number,
            status=Status.INVALID if problem else Status.VALID,
            error=problem,
            validated=None if problem else now,
            shown_from=now + wait if wait else None,
        )
        if problem is None:
            until = now + self._parts.options.orders.authorization_lifetime
            decided = msgspec.structs.replace(decided, until=until, expires=until + REMEMBERED)
        self._store.put(decided)


def _is_begun(authorization: AuthorizationRecord) -> bool:
    return any(challenge.status != Status.PENDING for challenge in authorization.challenges)


def _with_challenge(authorization: AuthorizationRecord, number: int, **changes: object) -> AuthorizationRecord:
    changed = list(authorization.challenges)
    changed[number] = msgspec.structs.replace(changed[number], **changes)
    return msgspec.structs.replace(authorization, challenges=tuple(changed))
