"""The HTTP/1.1 client that measures: exact bytes out, one deadline, bounded answers, and a name for every failure."""

from replay.wire.client import WireClient
from replay.wire.origin import Address, Origin
from replay.wire.render import check_headers, check_request
from replay.wire.tls import tls_context

__all__ = ["Address", "Origin", "WireClient", "check_headers", "check_request", "tls_context"]
