"""`patchwork doctor`: what is wrong with a node or a hub, and what to do about it.

gather_node.py and gather_hub.py look (files, databases read-only, hub, doors) and change nothing; every check is a pure
function from such facts to Findings. No fact holds anything about a person, so no finding can.
"""
