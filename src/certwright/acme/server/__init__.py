"""A small ACME CA for standalone use and for tests: durable, with seeded mischief."""
