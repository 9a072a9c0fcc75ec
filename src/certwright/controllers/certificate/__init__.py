"""One Certificate's life: gather one view, decide the one next step, take it, report once."""
