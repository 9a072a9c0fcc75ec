"""Structural schemas: pruning, defaulting and validation in the words of the Kubernetes API server."""
