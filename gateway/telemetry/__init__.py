"""What a node or hub tells its own operations staff: figures (Prometheus) and traces (OpenTelemetry).

Nothing here holds personal data: labels and attributes are ids of members, codes, routes and numbers. What a question
brought to light is not counted either: whether a member knew somebody stays between that answer and who asked
(docs/running-a-node.md, "Monitoring"). Off until a node or hub listens with a `[telemetry]` table; until then neither
library is loaded.
"""
