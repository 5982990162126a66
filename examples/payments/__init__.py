"""A payment example: provider A, on which people depend, and provider B, which is faster and cheaper."""
