"""A rule, rewritten: which pull requests are computed in place, and which through a draft."""
