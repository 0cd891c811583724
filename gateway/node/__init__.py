"""An agency's gateway node: asks, answers, and keeps its own people."""
