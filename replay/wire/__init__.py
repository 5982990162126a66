"""The HTTP/1.1 client that measures: exact bytes out, one deadline, bounded answers, and a name for every failure."""

from replay.wire.client import WireClient
from replay.wire.origin import Origin
from replay.wire.render import check_request

__all__ = ["Origin", "WireClient", "check_request"]
