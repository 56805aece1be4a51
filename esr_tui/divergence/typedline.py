"""What is told of one line that was typed."""

from __future__ import annotations

import msgspec


class TypedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A logical line as the terminal showed it when it was accepted: prompt removed, wrapped rows joined.

    Attributes:
        text: the line; the lines of a multi-line construct are joined with newlines. What the user's terminal
            showed, so hostile: draw it only through `printable`.
        start_ms: when the prompt was ready.
        end_ms: when the line was accepted (the kernel's time of it, where the terminal's modes tell).
        end_ktime: the same in boot-clock nanoseconds; 0 when not known.
        frame_ms: a moment at which the terminal showed the line whole.
        rows: first and last row of the line on that screen, from 0.
        pid: the shell that read it, where the terminal's modes or its execution tell.
        prompt: the last row of the prompt.
        echo: False when a line was accepted and nothing of it was shown.
        nested: "" for a shell of this session; else the program that read the line: "python", "ssh", "vim"…
        complete: False for a line that was given up (Ctrl-C) or is still being typed.
        raw: what stood on the line before the shell replaced history references (`!!`) in it; "" when it did not.
    """

    text: str
    start_ms: int
    end_ms: int
    end_ktime: int = 0
    frame_ms: int = 0
    rows: tuple[int, int] = (0, 0)
    pid: int | None = None
    prompt: str = ""
    echo: bool = True
    nested: str = ""
    complete: bool = True
    raw: str = ""
