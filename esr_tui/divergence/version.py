"""The version of the judgement."""

VERSION = 5
"""A kept result of another version is not used, and the app says that it is old."""
