"""Two sides."""


def old(n: int) -> object:
    return {"data": n}


def new(n: int) -> object:
    return {"errors": ["no"]} if n == 2 else {"data": n}
