"""Control loops: one room a kind, each gather, decide, act, report."""
