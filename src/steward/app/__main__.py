"""`python -m steward.app` is the command `steward`."""

from steward.app.cli import main

main()
