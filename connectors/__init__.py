"""Reads agencies' own systems and files; writes nothing back to them."""
