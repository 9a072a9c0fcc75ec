"""Reaches an API server: configuration, credentials, requests, lists and watches."""
