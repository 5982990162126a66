"""The bench: what sending and comparing cost, beside others, in one run. `nox -s bench`, or `python -m bench`.

Not shipped. It starts servers of its own on loopback, in a temporary folder, and ends only those.
"""
