"""Builds and parses FHIR R4 resources as plain dictionaries; no HTTP here."""
