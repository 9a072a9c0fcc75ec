"""The objects of one cluster as our controllers see them: caches, both dialects as one hub, Secrets, ownership."""
