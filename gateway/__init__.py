"""Patchwork: who else works with this client, and how to reach them."""

__version__ = "0.1.0"
