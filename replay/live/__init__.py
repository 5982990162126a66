"""Live traffic: a proxy that records what passes, and a sink for the copies that a gateway sends."""
