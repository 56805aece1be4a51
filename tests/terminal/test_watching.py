"""What the terminal tells a watcher of the stream, and how a row is told again after it scrolled."""

from __future__ import annotations

from esr_tui.terminal import Terminal


class Watcher:
    """Writes down what it is told, and where the cursor was."""

    def __init__(self, terminal: Terminal) -> None:
        self.told: list[tuple[str, int]] = []
        self._terminal = terminal
        terminal.screen.watcher = self

    def line_feed(self) -> None:
        self.told.append(("line feed", self._terminal.cursor.y))

    def private_mode(self, mode: int, on: bool) -> None:
        self.told.append((f"{mode} {'on' if on else 'off'}", int(self._terminal.alternate)))

    def shell_mark(self, mark: str) -> None:
        self.told.append((mark, self._terminal.cursor.x))


def watched(data: bytes, cut: int) -> list[tuple[str, int]]:
    terminal = Terminal(20, 4)
    watcher = Watcher(terminal)
    for start in range(0, len(data), cut):
        terminal.feed(data[start : start + cut])
    return watcher.told


def test_a_watcher_is_told_in_order_however_the_stream_is_cut() -> None:
    data = b"\x1b[?2004h\x1b]133;A\x07$ \x1b]133;B;x=1\x1b\\ls\r\n\x1b[?2004lone\ntwo\x1b[?1049h\x1b[?1049l"
    want = [
        ("2004 on", 0),
        ("A", 0),
        ("B", 2),
        ("line feed", 0),
        ("2004 off", 0),
        ("line feed", 1),
        ("1049 on", 0),
        ("1049 off", 1),
    ]
    assert watched(data, len(data)) == want
    assert watched(data, 1) == want


def test_rows_that_left_at_the_top_are_counted() -> None:
    terminal = Terminal(20, 4)
    terminal.feed(b"1\r\n2\r\n3\r\n4")
    assert terminal.screen.scrolled == 0
    terminal.feed(b"\r\n5\r\n6")
    assert terminal.screen.scrolled == 2
    terminal.feed(b"\x1b[?1049h" + b"\r\n" * 9 + b"\x1b[?1049l")
    assert terminal.screen.scrolled == 2
    terminal.resize(20, 2)
    assert terminal.screen.scrolled == 4
    assert terminal.text() == "5\n6"


def test_a_row_knows_that_its_text_goes_on() -> None:
    terminal = Terminal(5, 4)
    terminal.feed(b"abcdefg\r\nabcde\r\nx")
    assert [terminal.screen.buffer[y].wrapped for y in range(4)] == [True, False, False, False]
    terminal.feed(b"\x1b[1;3H\x1b[K")
    assert not terminal.screen.buffer[0].wrapped
