"""Two sides."""


def old(n: int) -> object:
    return {"n": n}


def new(n: int) -> object:
    return {"n": 3 if n == 2 else n}
