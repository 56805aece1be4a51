"""Recordings of other tools in, and recordings as files for other tools out.

A foreign file becomes a recording of our own layout in a cache, so that everything else reads only one kind.
"""
