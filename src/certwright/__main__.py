"""`python -m certwright`."""

from certwright.cli import main

main()
