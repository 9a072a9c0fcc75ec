"""How a name is proven to an ACME server: DNS-01 records and HTTP-01 answers."""
