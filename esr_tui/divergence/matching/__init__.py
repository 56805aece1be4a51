"""Matching hostile text in bounded time, and what there is to match: shared by all kinds of rules."""
