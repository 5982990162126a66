"""One side."""


def new(n: int) -> object:
    return {"n": n}
