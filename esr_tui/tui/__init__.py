"""The Textual app, and the pure models behind it.

Importing this package imports nothing: the command line uses `rows` without paying for Textual.
"""
