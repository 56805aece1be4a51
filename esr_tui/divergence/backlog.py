"""Output that nobody needs to see rendered: of what a program prints, only the last screenful matters to the next line.

A terminal that is fed everything takes half a minute for 50 MB. What is left out here leaves no trace on the screen:
the rows it wrote have all scrolled away when the kept rest has been drawn.
"""

from __future__ import annotations

import re

from esr_tui.divergence.page import Page

_STYLE = rb"\x1b\[[0-9;:]*m"
_TELLING = re.compile(rb"\x1b(?!\[[0-9;:]*(?:m|\Z)|\[[0-2]?K|\Z)|[\x0e\x0f]")
"""What may do more than write, style and erase text within its row."""
_BEGUN = re.compile(rb"\x1b(?:\[[0-9;:]*)?\Z")
_STYLES = re.compile(_STYLE)
_RESETS = (b"\x1b[m", b"\x1b[0m")
_LIMIT = 256 * 1024


class Backlog:
    """Bytes that wait to be drawn, or to be left out."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._data = bytearray()

    def __bool__(self) -> bool:
        return bool(self._data)

    @property
    def last_row(self) -> str | None:
        """What will be written last before the cursor, as far as the bytes tell; None when they do not."""
        start = max(self._data.rfind(b"\n"), self._data.rfind(b"\r")) + 1
        row = _STYLES.sub(b"", self._data[start:]).decode("utf-8", "replace")
        return None if (not row and start == 0) or not row.isprintable() else row

    @property
    def possible(self) -> bool:
        """Whether output may wait: no row on the screen outlives the scrolling of all of them."""
        terminal, screen = self._page.terminal, self._page.screen
        return not (terminal.alternate or terminal.held or screen.margins or screen.sides)

    def add(self, data: bytes) -> bytes:
        """Keep the beginning of `data` for later; returns the rest, which has to be drawn at its time."""
        last = self._data.rfind(b"\x1b")
        start = last if last >= 0 and _BEGUN.match(self._data, last) else len(self._data)
        self._data += data
        rest = b""
        if telling := _TELLING.search(self._data, start):
            rest = bytes(self._data[telling.start() :])
            del self._data[telling.start() :]
        if len(self._data) > _LIMIT:
            self._shorten()
        return rest

    def draw(self) -> None:
        """Draw what waits, or what of it will be left to see."""
        if self._data:
            self._shorten()
            data, self._data = bytes(self._data), bytearray()
            self._page.terminal.feed(data)

    def _shorten(self) -> None:
        data = self._data
        cut = len(data)
        for _ in range(2 * self._page.terminal.rows + 1):
            cut = data.rfind(b"\r\n", 0, cut)
            if cut < 0:
                if len(data) > _LIMIT:
                    self._page.terminal.feed(bytes(data))
                    data.clear()
                return
        reset = max(0, *(data.rfind(each, 0, cut) for each in _RESETS))
        styles = b"".join(_STYLES.findall(data, reset, cut))
        del data[: cut + 2]
        data[:0] = styles
