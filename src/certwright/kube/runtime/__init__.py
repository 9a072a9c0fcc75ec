"""Runs control loops: caches of what is there, queues of what to look at, events, and who leads."""
