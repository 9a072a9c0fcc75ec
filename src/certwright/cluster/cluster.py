"""One value with everything that a control loop needs of its cluster."""

from __future__ import annotations

from msgspec import Struct

from certwright.clock import Clock
from certwright.cluster.caches import Caches
from certwright.cluster.issuers import IssuerDirectory
from certwright.cluster.pending import PendingKeys
from certwright.cluster.secrets import SecretReader
from certwright.cluster.settings import Settings
from certwright.kube.client.client import KubeClient
from certwright.kube.runtime.recorder import Recorder


class Cluster(Struct, frozen=True, kw_only=True):
    """Built once by `app`, handed to every controller and issuer type."""

    client: KubeClient
    clock: Clock
    recorder: Recorder
    caches: Caches
    issuers: IssuerDirectory
    secrets: SecretReader
    pending: PendingKeys
    settings: Settings = Settings()
