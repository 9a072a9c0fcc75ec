"""Who sees which change: selection by label and field, and the streams that carry it."""
