"""A small shop in two versions, and a third one with six slips: the bundled example."""
