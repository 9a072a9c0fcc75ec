"""Speaks the Kubernetes API: its wire forms, a client for it, and the machinery of control loops."""
