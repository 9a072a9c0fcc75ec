"""The processes: each file builds what runs in one of them, and nobody else builds anything."""
