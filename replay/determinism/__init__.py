"""The instant and the seed of a case, on their way to a service, and the middleware by which a service obeys them.

from replay.determinism.middleware import FrozenTimeASGI

app = FrozenTimeASGI(app)  # does nothing unless the service's environment sets REPLAY_DETERMINISM_SECRET
"""
