"""The old shop: WSGI, money in floats, a search that reads every article."""

from examples.shop.old.service import app

__all__ = ["app"]
