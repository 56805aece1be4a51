"""Shells without a line editor: they prompt in canonical mode, and the terminal echoes what is typed."""

from __future__ import annotations

from esr_tui.divergence.page import Page
from esr_tui.divergence.prompts import Prompts, promptlike
from esr_tui.divergence.readers import Reader, Readers


def prompting(page: Page, prompts: Prompts, readers: Readers, *, rested: bool) -> Reader | None:
    """The shell whose prompt the cursor stands after; None when none waits there.

    Args:
        rested: whether the cursor has stayed, as it does after a prompt.
    """
    reader, cells = readers.waiting(), page.before_cursor()
    text = "".join(cells)
    if reader is None:
        return readers.unedited() if rested and text in prompts else None
    if text not in prompts and not (rested and promptlike(text) and not readers.busy(reader)):
        # Without echo not even the line feed shows, and the next prompt follows in the same row.
        known = any(text.endswith(each) for each in prompts.newest())
        if not known or readers.echo:
            return None
    return reader if len(page.cells(page.row)) <= len(cells) else None


def nothing_typed(page: Page, prompts: Prompts) -> bool:
    """Whether prompts alone stand before the cursor: a program may have printed one right before the shell did."""
    text = "".join(page.before_cursor())
    return bool(text) and prompts.known_length(text) == len(text)
