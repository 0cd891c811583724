"""Decides who may learn what: agreements in, decisions with reasons out."""
