"""What the flags of the controller process say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from certwright.cluster.settings import Settings
from certwright.solvers.http01.pod import PodOptions

# The default of cert-manager 1.21; any image whose command takes the same arguments will do.
SOLVER_IMAGE = "quay.io/jetstack/cert-manager-acmesolver:v1.21.1"


class LeaderElection(Struct, frozen=True, kw_only=True):
    """Durations as other controllers have them."""

    enabled: bool = True
    namespace: str = "kube-system"
    lease_duration: timedelta = timedelta(seconds=60)
    renew_deadline: timedelta = timedelta(seconds=40)
    retry_period: timedelta = timedelta(seconds=15)


class Outside(Struct, frozen=True, kw_only=True):
    """How the world outside the cluster is reached.

    `connect_to` sends `host:port` to another `host:port`; names in URLs, TLS and Host headers stay.
    `provider_endpoints` replaces base URLs of DNS providers' APIs, by provider name.
    `trusted_ca_pem` is trusted besides the system's roots.
    """

    trusted_ca_pem: bytes = b""
    connect_to: Mapping[str, str] = msgspec.field(default_factory=dict)
    provider_endpoints: Mapping[str, str] = msgspec.field(default_factory=dict)
    recursive_nameservers: tuple[str, ...] = ()
    recursive_nameservers_only: bool = False
    authoritative_addresses: Mapping[str, str] = msgspec.field(default_factory=dict)
    """For tests and demos: the `address:port` that is asked in the place of a nameserver's port 53."""
    http01_listen_address: str = "0.0.0.0:8089"
    http01_addresses: tuple[str, ...] | None = None
    """Addresses of this process that EndpointSlices name; None: find out. Without any, names lead here themselves."""
    http01_port: int = 80
    """Where CAs ask for HTTP-01, and the self-check with them."""
    http01_mode: Literal["shared", "pod", "auto"] = "shared"
    http01_nameservers: tuple[str, ...] = ()
    """Whom the self-check asks for names; the system's resolver where none is given."""
    http01_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    http01_pods: PodOptions = PodOptions(image=SOLVER_IMAGE)


class ControllerOptions(Struct, frozen=True, kw_only=True):
    """One controller process."""

    kubeconfig: Path | None = None
    context: str = ""
    master: str = ""
    socket: Path | None = None
    """The Unix socket of an embedded API server; excludes kubeconfig and master."""
    settings: Settings = Settings()
    leader_election: LeaderElection = LeaderElection()
    outside: Outside = msgspec.field(default_factory=Outside)
    controllers: tuple[str, ...] = ("*",)
    metrics_listen_address: str = "0.0.0.0:9402"
    healthz_listen_address: str = "0.0.0.0:9403"
    kube_api_qps: float = 0
    kube_api_burst: int = 0
    grace: timedelta = timedelta(seconds=10)
    """How long passes in flight may take after a stop was asked for."""
