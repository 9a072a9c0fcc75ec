"""The kinds of external issuers, kept where the policy of admission on approvals reads them."""
