"""Copies of recordings from which something has been removed for good."""
