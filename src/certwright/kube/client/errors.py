"""What can go wrong besides a refusal of the API server (`kube.wire.status.ApiError`)."""

from __future__ import annotations


class Unreachable(Exception):
    """The API server gave no usable answer: no connection, a time-out, or an answer that is cut or too large."""


class BadConnection(Exception):
    """The kubeconfig or the service account does not say how to reach the API server; the text is a next step."""
