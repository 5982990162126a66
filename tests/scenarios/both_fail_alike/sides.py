"""Two sides."""


def old(n: int) -> object:
    raise ValueError(f"no {n}")


def new(n: int) -> object:
    raise ValueError(f"no {n}")
