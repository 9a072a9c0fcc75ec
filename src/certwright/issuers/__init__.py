"""Who signs: one file an issuer type, each with a check (is it ready?) and a signature (signed, pending or refused)."""
