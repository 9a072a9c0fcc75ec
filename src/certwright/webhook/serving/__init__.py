"""TLS of the webhook: the certificate that it serves, made here or read from files, and who may connect."""
