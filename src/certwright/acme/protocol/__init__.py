"""ACME as values: messages, signatures, challenges, state rules and renewal information; pure."""
