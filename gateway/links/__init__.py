"""How bytes travel between a hub and a node; nothing here reads them."""
