"""Policies of admission: rules and changes in CEL that the server evaluates itself."""
