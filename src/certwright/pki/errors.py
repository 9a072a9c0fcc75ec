"""What this room raises when bytes or values cannot become what was asked."""

from __future__ import annotations


class PkiError(ValueError):
    """A sentence that says what is wrong with the input and, where there is one, the next step; never a secret."""
