"""Who may use a node's pages, and how they prove who they are. Knows nothing of pages."""
