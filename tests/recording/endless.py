"""A recorder that goes on until it is killed: see test_seal."""

from __future__ import annotations

from pathlib import Path

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command
from esr_tui.recording import RecordingWriter, Store


def run(data_dir: Path) -> None:
    """Writes one recording after the other, sealing at each flush; a line on standard output for each flush."""
    store = Store(data_dir, seal=0.0)
    store.create()
    number = 0
    while True:
        number += 1
        start = Clock.now()
        writer = RecordingWriter(
            store, sid=f"s{start}", user="ada", login="ada", start_ktime=start, clock=Clock.measure()
        )
        for piece in range(10):
            writer.output(ktime=Clock.now(), data=b"%d\r\n" % piece)
            writer.add(Command, ktime=Clock.now(), argv=["echo", str(piece)])
            writer.flush()
            print(piece, flush=True)
        writer.close()
