"""The seal of a redacted copy: it says whose copy it is, and never that it is the original."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from pathlib import Path

from esr_tui.recording import Store, StoreError
from esr_tui.recording import files as storage
from esr_tui.recording.keys import Signer
from esr_tui.recording.seal import seal_copy, sealed_head
from esr_tui.redacting.copying import Copy

_KEY_MOST = 4096
"""Bytes of a public key's file."""


def seal_as_copy(copy: Copy, original: Path, data_dir: Path, signer: Signer) -> None:
    """Seals a copy with the key of the node that makes it, whose public half is laid beside.

    Args:
        copy: whole and closed.
        original: the index of what it is a copy of.
        data_dir: the store whose key is used.
        signer: that key.

    Raises:
        OSError: the seal cannot be written.
    """
    node = ""
    with suppress(StoreError):
        node = Store(data_dir).node
    what = copy.removed.sentence()
    head = sealed_head(original)
    seal_copy(copy.index, signer, node=node, of=copy.of, by=maker(), what=what, head=head)
    public = storage.read_bounded(data_dir / "node.pub", _KEY_MOST)
    storage.replace(copy.index.parents[4] / "node.pub", public)


def maker() -> str:
    """Who makes the copy: the user who became root, if that is known."""
    named = os.environ.get("SUDO_USER", "")
    if named:
        return named
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
