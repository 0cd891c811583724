"""A demonstration federation of five agencies with invented people."""
