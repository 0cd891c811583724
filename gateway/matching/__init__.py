"""Finds the one person meant by a question, or nobody."""
