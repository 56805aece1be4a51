"""The terminal emulator: what the session's user saw, made from the recorded bytes.

pyte, through subclasses that stand an attacker's stream. Knows of no widget, file or clock.
"""

from esr_tui.terminal.rows import Row, Run, Style
from esr_tui.terminal.terminal import Cursor, Terminal

__all__ = ["Cursor", "Row", "Run", "Style", "Terminal"]
