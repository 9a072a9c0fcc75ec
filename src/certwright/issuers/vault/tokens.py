"""Tokens of service accounts, asked of the API server (TokenRequest)."""

from __future__ import annotations

from certwright.api.core_kinds import SERVICE_ACCOUNT
from certwright.api.meta import ApiStruct, JSONObject
from certwright.issuers.vault.unready import Unready
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import Unreachable
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import ApiError, Forbidden, NotFound
from certwright.rest import SecretText

LIFE_SECONDS = 600  # the shortest that an API server grants


class _Status(ApiStruct, frozen=True):
    token: str = ""


class _TokenRequest(ApiStruct, frozen=True):
    status: _Status = _Status()


async def request_token(client: KubeClient, account: ObjectKey, audiences: tuple[str, ...]) -> SecretText:
    """A token of the service account for these audiences; Unready where there is none to be had."""
    spec: JSONObject = {"audiences": list(audiences), "expirationSeconds": LIFE_SECONDS}
    body: JSONObject = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        path = SERVICE_ACCOUNT.resource.path(account.namespace, account.name, "token")
        answer = await client.post(path, body, _TokenRequest)
    except ValueError as error:
        raise Unready(f"No service account can have the name {account.name!r}; correct spec.vault.auth") from error
    except NotFound as error:
        raise Unready(f"Service account {account} does not exist; create it, or correct spec.vault.auth") from error
    except Forbidden as error:
        raise Unready(
            f"We may not ask for a token of service account {account}; let our service account create "
            f"serviceaccounts/token there: {error}"
        ) from error
    except (ApiError, Unreachable) as error:
        raise Unready(f"No token of service account {account} is given: {error}") from error
    if not answer.status.token:
        raise Unready(f"The API server answered with no token of service account {account}")
    return SecretText(answer.status.token)
