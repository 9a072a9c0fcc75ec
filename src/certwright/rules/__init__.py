"""Pure decisions: what an object means, whether it is valid, what is due, and what a condition says."""
