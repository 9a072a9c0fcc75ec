"""The Vault issuer: signs through the PKI engine of HashiCorp Vault, or of what speaks its API."""
