"""An asynchronous ACME client: transport, nonces, signed requests, typed errors; it never sleeps to poll."""
