"""Run old and new side by side on the same inputs, and cut over on evidence."""

__version__ = "0.1.0"
