"""What a cluster does by itself: namespaces, definitions, owners, default accounts, old events."""
