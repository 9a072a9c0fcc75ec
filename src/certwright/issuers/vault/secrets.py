"""The Secrets of one issuer, read once, with a note of the version that was read."""

from __future__ import annotations

from certwright.api.core import Secret
from certwright.api.meta import SecretKeySelector
from certwright.api.wellknown import RequestEvent
from certwright.cluster.secrets import SecretReader
from certwright.issuers.vault.unready import Unready
from certwright.kube.client.errors import Unreachable
from certwright.kube.wire.status import ApiError
from certwright.rest import SecretText


class IssuerSecrets:
    """Reads from the namespace of the issuer's Secrets. `versions` are those of the Secrets read so far."""

    def __init__(self, reader: SecretReader, namespace: str) -> None:
        self.namespace = namespace
        self.versions: dict[str, str] = {}
        self._reader = reader
        self._read: dict[str, Secret] = {}

    async def value(self, ref: SecretKeySelector, default_key: str) -> bytes:
        """What the reference means; Unready where it is not there."""
        secret, key = await self._secret(ref.name), ref.key or default_key
        found = secret.data.get(key)
        if not found:
            text = f"Secret {self.namespace}/{ref.name} has no {key}; store it there, or correct the key in spec.vault"
            raise Unready(text, RequestEvent.SECRET_MISSING)
        return found

    async def text(self, ref: SecretKeySelector, default_key: str) -> SecretText:
        """The same as one line of text."""
        value = await self.value(ref, default_key)
        try:
            text = value.decode("ascii").strip()
        except UnicodeDecodeError:
            text = ""
        if not text.isprintable() or not text:
            where = f"{ref.key or default_key} of Secret {self.namespace}/{ref.name}"
            raise Unready(f"{where} is not one line of plain text; store what Vault gave", RequestEvent.SECRET_MISSING)
        return SecretText(text)

    async def _secret(self, name: str) -> Secret:
        if name not in self._read:
            found = await self._find(name)
            if found is None:
                text = f'secrets "{name}" not found in namespace {self.namespace}; create it, or correct spec.vault'
                raise Unready(text, RequestEvent.SECRET_MISSING)
            self._read[name] = found
            self.versions[name] = found.metadata.resource_version
        return self._read[name]

    async def _find(self, name: str) -> Secret | None:
        try:
            return await self._reader.find(self.namespace, name)
        except ValueError:
            return None  # no Secret can have such a name
        except (ApiError, Unreachable) as error:
            text = f"Secret {self.namespace}/{name} cannot be read: {error}"
            raise Unready(text, RequestEvent.SECRET_GET_ERROR) from error
