"""All wiring: which parts a node and a hub are made of, each on one screen, and how they are served."""
