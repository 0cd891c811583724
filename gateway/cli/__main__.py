"""`python -m gateway.cli` is the `patchwork` command."""

from gateway.cli import main

main()
