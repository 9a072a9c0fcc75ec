"""Objects, revisions and their history: SQLite on disk, everything served from memory."""
