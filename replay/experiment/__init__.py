"""The dual run inside a program: old and new functions on the same real calls; a flag decides whose answer is used."""

from __future__ import annotations
