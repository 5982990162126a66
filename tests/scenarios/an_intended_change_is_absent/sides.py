"""Two sides."""


def old(n: int) -> object:
    return {"fee": 1.00, "userName": "ada", "reason": "05", "total": 10.00 if n < 3 else 5.00}


def new(n: int) -> object:
    return {"fee": 1.01, "user_name": "ada", "reason": "do_not_honor", "total": 9.99 if n < 3 else 5.00}
