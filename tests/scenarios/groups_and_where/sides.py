# ruff: noqa: ARG001 - not every side looks at what it is given
"""Two sides."""


def old(operation: str, kind: str = "", id: int = 0) -> object:  # noqa: A002
    return {"id": 1, "kind": kind, "note": "old"} if kind else {"id": 1}


def new(operation: str, kind: str = "", id: int = 0) -> object:  # noqa: A002
    return {"id": 1, "kind": kind, "note": "new"} if kind else {"id": 2}
