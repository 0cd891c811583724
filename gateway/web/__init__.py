"""The pages that people use: one file per page or flow, server-rendered, working without JavaScript."""
