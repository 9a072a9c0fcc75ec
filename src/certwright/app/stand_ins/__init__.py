"""Local stand-ins of a DNS server and of Cloudflare's API, for the demo and for tests."""
