"""X.509 as values: keys, names, requests, certificates, chains and key stores; bytes in, bytes out."""
