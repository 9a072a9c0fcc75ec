"""The ACME issuer type: accounts and their clients, registration, and Orders made of CertificateRequests."""
