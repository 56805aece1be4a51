"""`make screenshots`: pictures of the app on a real recording, made anew with `esr demo`.

    python tests/screenshots.py FOLDER

Needs root (the demo is watched by the kernel programs) and rsvg-convert, which turns Textual's SVG into PNG.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from esr_tui.recording import Catalog
from esr_tui.tui.app import EsrApp

ROOT = Path(__file__).resolve().parents[1]
Press = Callable[["Pilot[None]"], Awaitable[None]]


async def keys(pilot: Pilot[None], *names: str) -> None:
    """Presses keys, each when the last one has been dealt with."""
    for name in names:
        await pilot.press(name)
        await pilot.pause(0.2)


async def picture(app: EsrApp, size: tuple[int, int], press: tuple[str, ...], path: Path) -> None:
    """One screenshot as PNG."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause(2)
        await keys(pilot, *press)
        await pilot.pause(1)
        svg = path.with_suffix(".svg")
        # Blanks at the beginning of a text would be dropped by SVG without this.
        svg.write_text(app.export_screenshot().replace("<text ", '<text xml:space="preserve" '))
    subprocess.run(["rsvg-convert", "-o", path, svg], check=True)
    svg.unlink()


def main(folder: Path) -> None:
    """Records a demo and takes the pictures."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="esr-screenshots-") as place:
        store = Path(place) / "esr"
        demo = [sys.executable, "-m", "esr_tui.cli", "demo", "--record-only", "--data-dir", str(store)]
        subprocess.run(demo, check=True, cwd=ROOT, capture_output=True)
        recording = Path(Catalog(store).sessions()[0].recording)
        # The list comes last: it shows what opening a recording has found.
        shots: list[tuple[str, Path | None, tuple[int, int], tuple[str, ...]]] = [
            ("session", recording, (140, 40), ("home", "n", "n", "n")),
            ("divergences", recording, (120, 36), ("end", "v")),
            ("narrow", recording, (80, 24), ("home", "n")),
            ("help", recording, (120, 36), ("question_mark",)),
            ("sessions", None, (120, 36), ()),
        ]
        for name, opened, size, press in shots:
            app = EsrApp(
                store, recording=opened, record_command=["esr", "record"], demo_command=["esr", "demo"]
            )
            asyncio.run(picture(app, size, press, folder / f"{name}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots")
