"""Kubernetes' own kinds that are read or written here."""

from __future__ import annotations

from certwright.api import core
from certwright.api.resource import Resource, kind_of

SECRET = kind_of(Resource("", "v1", "secrets", "Secret", True), core.Secret)
CONFIG_MAP = kind_of(Resource("", "v1", "configmaps", "ConfigMap", True), core.ConfigMap)
EVENT = kind_of(Resource("", "v1", "events", "Event", True), core.Event)
NAMESPACE = kind_of(Resource("", "v1", "namespaces", "Namespace", False), core.Namespace)
SERVICE = kind_of(Resource("", "v1", "services", "Service", True), core.Service)
SERVICE_ACCOUNT = kind_of(Resource("", "v1", "serviceaccounts", "ServiceAccount", True), core.ServiceAccount)
POD = kind_of(Resource("", "v1", "pods", "Pod", True), core.Pod)
LEASE = kind_of(Resource("coordination.k8s.io", "v1", "leases", "Lease", True), core.Lease)
ENDPOINT_SLICE = kind_of(
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True), core.EndpointSlice
)
INGRESS = kind_of(Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True), core.Ingress)
