"""The types that everything else speaks: audit events, session summaries, printable text.

One definition serves the disk, the wire and the UI. This package imports nothing else of esr.
"""
