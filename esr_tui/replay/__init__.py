"""Any moment of a recording at once: its stream with random access, and keyframes of its terminal.

Knows no widget. What is kept on disk can always be made anew from the recording.
"""
