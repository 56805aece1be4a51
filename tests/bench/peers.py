"""bpftrace's tools, attached for a while."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from login import until

TOOLS = {"execsnoop": "execsnoop.bt", "opensnoop": "opensnoop.bt"}


def missing() -> str:
    """Why the peers cannot run, or an empty string."""
    if not shutil.which("bpftrace"):
        return "bpftrace is missing; run: apt-get install bpftrace"
    absent = [tool for tool in TOOLS.values() if not Path("/usr/sbin", tool).exists()]
    return f"/usr/sbin has no {', '.join(absent)}" if absent else ""


class Peer:
    """One tool, from when it sees what happens until it is detached."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory(prefix="esr-peer-")
        self._place = Path(self._folder.name)
        self._process: subprocess.Popen[bytes] | None = None
        self._sign = f"esr-bench-{os.getpid()}"

    def __enter__(self) -> Peer:
        with (self._place / "output").open("wb") as output, (self._place / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                ["bpftrace", "-B", "line", f"/usr/sbin/{TOOLS[self.name]}"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
            )  # fmt: skip
        try:
            until(self._sees, f"{self.name} attaches", every=0.1)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sees(self) -> bool:
        """Whether a sign that is given now, or was before, is in its output."""
        assert self._process
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {(self._place / 'errors').read_text()[-500:]}")
        subprocess.run(["/bin/true", self._sign], check=True)
        with suppress(OSError):
            os.close(os.open(f"/tmp/{self._sign}", os.O_RDONLY))
        return self._sign in self.output

    def lines(self) -> Iterator[str]:
        """What it has printed, line by line."""
        with (self._place / "output").open(errors="replace") as output:
            yield from output

    @property
    def output(self) -> str:
        """What it has printed."""
        return (self._place / "output").read_text(errors="replace")

    @property
    def lost(self) -> int:
        """Events that it says it has lost."""
        said = itertools.chain(
            self.lines(), (self._place / "errors").read_text(errors="replace").splitlines()
        )
        return sum(int(count) for line in said for count in re.findall(r"Lost (\d+) events", line))

    def stop(self) -> None:
        """Ends it; what it printed stays readable."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def close(self) -> None:
        """Ends it and forgets its output."""
        self.stop()
        self._folder.cleanup()
