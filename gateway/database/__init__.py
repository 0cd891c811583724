"""Where a node or hub keeps what it must keep: one small contract, one file per engine."""
