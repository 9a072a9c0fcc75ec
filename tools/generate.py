"""Every generated file of the tree; `--check` only says whether all are up to date."""

from __future__ import annotations

import sys

from tools import (
    generate_cli,
    generate_compatibility,
    generate_crds,
    generate_metrics,
    generate_policies,
    generate_reference,
)

GENERATORS = (
    generate_crds.main,
    generate_policies.main,
    generate_compatibility.main,
    generate_reference.main,
    generate_metrics.main,
    generate_cli.main,
)


def main(arguments: list[str]) -> int:
    """0 where all generators are content."""
    codes = [generator(arguments) for generator in GENERATORS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
