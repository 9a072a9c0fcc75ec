"""The command line: one file a command, words in, text out."""

from __future__ import annotations

from certwright.cli.main import main

__all__ = ["main"]
