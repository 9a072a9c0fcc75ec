"""A Kubernetes-compatible API server over SQLite: it knows schemas, not certificates."""
