"""Builds and reads FHIR R4 resources; no HTTP, no storage, no decisions.

`bundle.py` builds an answer's searchset Bundle, `reader.py` takes one from another member apart, `text.py` and
`codes.py` hold what both need.
"""
