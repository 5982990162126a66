"""Two sides of which new rounds otherwise."""


def old(n: int) -> object:
    return {"n": n, "fee": 1.00}


def new(n: int) -> object:
    return {"n": n, "fee": 1.01}
