"""ACME (RFC 8555): the protocol as values, a client for any CA, and a small CA of our own."""
