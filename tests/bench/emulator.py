"""How fast the emulator is beside stock pyte, in one run: streams of real programs and two hard ones, at 200 × 50.

Stock pyte raises on sequences that vim and tmux send (a private marker where it expects none). Both get the streams
without those; text that stock hides, after a zero-width character, it does not have to draw. Ours draws of long plain
output the last screenful alone.
"""

from __future__ import annotations

import inspect
import math
import random
import re
import select
import shutil
import subprocess
import time
import typing
from collections.abc import Callable, Iterator
from typing import Protocol

import pyte
from harness import Claim, Loops
from login import LoginServer
from terminals import Drawn

from esr_tui.terminal import Terminal

COLUMNS, ROWS = 200, 50
OURS, STOCK = 1_000_000, 250_000
"""Bytes fed in one round."""
ROUNDS = 3
PIECE = 64 * 1024
_RAISING = re.compile(rb"\x1b\[[?>=<][0-9;]*[ -/]*[^hl0-9;]")


class Fed(Protocol):
    """What takes a stream."""

    def feed(self, data: bytes) -> None: ...


class Tape(Drawn):
    """Keeps what a program draws."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv, COLUMNS, ROWS)
        self.data = b""

    def take(self) -> None:
        self.data += self.read()


def recorded(argv: list[str], keys: list[str], pause: float = 0.08) -> bytes:
    """What a program draws while keys are typed, one after the other."""
    with Tape(argv) as tape:
        try:
            for key in ["", *keys, ""]:
                tape.press(key)
                end = time.monotonic() + pause
                while (left := end - time.monotonic()) > 0:
                    if select.select([tape], [], [], left)[0]:
                        tape.take()
        except EOFError:
            pass
        return tape.data


def true_colour() -> bytes:
    """Full redraws with a colour of its own for every third cell."""
    rnd, parts = random.Random(7), list[str]()
    for frame in range(6):
        parts.append("\x1b[H")
        for y in range(ROWS):
            for x in range(COLUMNS):
                if x % 3 == 0:
                    parts.append(f"\x1b[38;2;{(x + frame) % 256};{y * 5 % 256};{frame * 3 % 256}m")
                parts.append(rnd.choice("█▓▒░▄▀ abc"))
            parts.append("\r\n" if y < ROWS - 1 else "")
    return "".join(parts).encode()


def unicode() -> bytes:
    """Lines of CJK, emoji, Cyrillic, accents and combining characters."""
    rnd = random.Random(7)
    signs = "😀 🎉 🚀 🔥 ✨ 🐍 📦 ❌ e\u0301 a\u0308 👩\u200d💻 ❤\ufe0f".split()

    def word() -> str:
        kind = rnd.random()
        if kind < 0.4:
            return "".join(chr(rnd.randrange(0x4E00, 0x5200)) for _ in range(rnd.randrange(2, 9)))
        if kind < 0.6:
            return rnd.choice(signs)
        return "".join(rnd.choices("абвгдежзиклмн" if kind < 0.8 else "éèêàçñüößabcdefghij", k=6))

    return "".join(" ".join(word() for _ in range(12)) + "\r\n" for _ in range(2500)).encode()


def streams() -> Iterator[tuple[str, bytes]]:
    """Names and streams; programs that are not installed are left out."""
    source = inspect.getsourcefile(typing) or ""
    text = inspect.getsource(typing).replace("\n", "\r\n").encode()
    listing = subprocess.run(
        ["ls", "-la", "--color=always", "/usr/bin", "/etc"], capture_output=True, check=False
    )
    yield "cat", text
    yield "ls in colour", listing.stdout.replace(b"\n", b"\r\n")
    yield "seq", b"".join(b"%d\r\n" % number for number in range(100_000))
    pages = (
        ["\x06"] * 15 + ["\x02"] * 5 + ["10j", "dd", "onew text\x1b", ":set number\r", "/class\r", "n", "n"]
    )
    if shutil.which("vim"):
        yield "vim", recorded(["vim", "-N", "-u", "NONE", "-c", "syntax on", source], pages)
    if shutil.which("tmux"):
        panes = ["\x02%", "ls -la --color /usr/bin\r", '\x02"', "seq 3000\r", "\x02o", f"cat {source}\r"] * 2
        server = ["tmux", "-L", "esr-bench", "-f", "/dev/null"]
        yield "tmux", recorded([*server, "new-session"], panes, 0.3)
        subprocess.run([*server, "kill-server"], check=False, capture_output=True)
    if shutil.which("top"):
        yield "top", recorded(["top", "-d", "0.1"], ["", "c", "1", ""], 0.5)
    yield "a colour every third cell", true_colour()
    yield "CJK and emoji", unicode()


def speed(make: Callable[[], Fed], data: bytes) -> float:
    """MB a second of processor time, the best of some rounds."""
    best = math.inf
    for _ in range(ROUNDS):
        terminal = make()
        start = time.process_time()
        for at in range(0, len(data), PIECE):
            terminal.feed(data[at : at + PIECE])
        best = min(best, time.process_time() - start)
    return len(data) / best / 1e6


def stock() -> Fed:
    return pyte.ByteStream(pyte.Screen(COLUMNS, ROWS))  # type: ignore[no-any-return]


def ours() -> Fed:
    return Terminal(COLUMNS, ROWS)


def keyframe(data: bytes) -> tuple[int, float, float]:
    """Bytes of the state after `data`; milliseconds to take it, and to restore it."""
    terminal = Terminal(COLUMNS, ROWS)
    terminal.feed(data)
    taken = restored = math.inf
    for _ in range(10):
        start = time.process_time()
        state = terminal.state()
        between = time.process_time()
        Terminal.from_state(state)
        taken, restored = min(taken, between - start), min(restored, time.process_time() - between)
    return len(state), taken * 1e3, restored * 1e3


def run(server: LoginServer, loops: Loops) -> list[Claim]:
    """Prints the table; the claims."""
    print(f"\nEmulator at {COLUMNS} × {ROWS}, MB/s of processor time")
    ratios: dict[str, float] = {}
    plain: dict[str, float] = {}
    slowest = 0.0
    for name, stream in streams():
        data = _RAISING.sub(b"", stream)
        if not data:
            continue
        own, other = (
            speed(make, (data * (size // len(data) + 1))[:size])
            for make, size in ((ours, OURS), (stock, STOCK))
        )
        size, taken, restored = keyframe(data)
        if name in TYPICAL:
            slowest = max(slowest, taken, restored)
        ratios[name], plain[name] = own / other, own
        print(
            f"  {name:26} {own:7.1f}   stock pyte {other:5.2f}   {own / other:6.1f} times"
            f"   state {size // 1024:3} KiB, {taken:.1f} ms, restored in {restored:.1f} ms"
        )
    logarithms = [math.log(ratio) for name, ratio in ratios.items() if name != "seq"]  # cat is of its kind
    mean = math.exp(sum(logarithms) / len(logarithms))
    least = min(ratios, key=lambda name: ratios[name])
    typical = min((name for name in plain if name in TYPICAL), key=lambda name: plain[name])
    return [
        Claim("emulator, geometric mean at least 6 times stock pyte", mean >= 6, f"{mean:.1f} times"),
        Claim(
            "emulator, no stream slower than stock pyte",
            ratios[least] >= 1,
            f"{least}: {ratios[least]:.1f} times",
        ),
        Claim(
            "emulator, typical streams at 6 MB/s or more",
            plain[typical] >= 6,
            f"{typical}: {plain[typical]:.1f} MB/s",
        ),
        Claim(
            "the state of a typical stream taken or restored in 2 ms",
            slowest <= 2,
            f"at most {slowest:.1f} ms",
        ),
    ]


TYPICAL = ("cat", "ls in colour", "seq", "vim", "tmux", "top")
