"""A search example: two rankings of one catalogue, compared by how far they agree and by what people would click."""
