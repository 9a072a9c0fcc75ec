"""The objects that belong to one challenge alone: found by owner and labels, so that nothing needs to be remembered."""

from __future__ import annotations

from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import NotFound
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.found import MANAGER, Found, Routing
from certwright.solvers.http01.objects import solver_labels


class OwnObjects:
    """Of each kind a challenge has one."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def keep_one(self, kind: Routing, challenge: Http01Challenge, wanted: JSONObject) -> Found:
        """The oldest one, or a new one where there is none; more of them are deleted."""
        mine = await self._mine(kind, challenge)
        for surplus in mine[1:]:
            await self._delete(kind, surplus)
        if mine:
            return mine[0]
        return await self._client.create(kind, wanted, challenge.namespace, manager=MANAGER)

    async def delete_all(self, kind: Routing, challenge: Http01Challenge) -> None:
        """None is left."""
        for found in await self._mine(kind, challenge):
            await self._delete(kind, found)

    async def _mine(self, kind: Routing, challenge: Http01Challenge) -> list[Found]:
        labels = ",".join(f"{key}={value}" for key, value in solver_labels(challenge).items())
        listing = await self._client.list(kind, Selection(challenge.namespace, labels=labels))
        mine = [found for found in listing.items if _is_of(found, challenge)]
        return sorted(mine, key=lambda found: (str(found.metadata.creation_timestamp), found.metadata.name))

    async def _delete(self, kind: Routing, found: Found) -> None:
        try:
            await self._client.delete(kind, found.key, uid=found.metadata.uid)
        except NotFound:
            return


def _is_of(found: Found, challenge: Http01Challenge) -> bool:
    return found.metadata.deletion_timestamp is None and found.is_owned_by(challenge.owner.uid)
