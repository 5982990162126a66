"""Two sides: new finds no hats any more, and answers in another form."""


def old(category: str, n: int) -> object:
    return {"kind": "list", "category": category, "n": n}


def new(category: str, n: int) -> object:
    return {"kind": "list", "category": category, "n": None if category == "hats" else n}
