"""Two sides."""


def old(n: int) -> object:
    return {"n": n}


def new(n: int) -> object:
    if n == 2:
        raise ValueError("two is too much")
    return {"n": n}
