"""Turns the fields of a source into people, practitioners and involvements."""
