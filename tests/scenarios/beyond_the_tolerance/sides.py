"""Two sides."""


def old(n: int) -> object:
    return {"fee": n}


def new(n: int) -> object:
    return {"fee": n + n / 100}
