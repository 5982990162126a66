"""The golden set grows: stored cases become files. It writes text; the command line validates it again.

What is in this room is imported from its modules: a command that needs one of them should not wait for all the others.
"""
