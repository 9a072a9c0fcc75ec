"""One file a DNS provider, named after the key that users write: its config Struct, add and remove."""
