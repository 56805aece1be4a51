"""Searching recordings: what their terminals showed, and what the kernel saw.

lines       collects the text of every line that was visible, from the emulated screen
textfile    keeps it below the store's playbacks, beside the recording's other caches
collecting  makes and extends that file, in a process of its own
query       a regular expression over it
grams       an index over all recordings of a store
"""
