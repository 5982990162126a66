"""The new shop: ASGI, money in decimals, an inverted index, and its decisions named as policies."""

from examples.shop.new.asgi import build
from examples.shop.new.policies import Policies

__all__ = ["app"]

app = build(Policies())
