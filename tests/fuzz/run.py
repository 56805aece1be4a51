"""`make fuzz`: every target with atheris for a while, led by coverage; the inputs that it found interesting stay.

    python tests/fuzz/run.py [SECONDS] [TARGET…]

runs them one after the other, in processes of their own. A finding ends with the input in a file, which
`python tests/fuzz/run.py --one TARGET FILE` tries again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
KEPT = ROOT / ".fuzz"
_LONGEST, _SLOWEST, _MEMORY = 65536, 20, 1024
"""Bytes of an input, seconds for one, MiB for the process."""


def one(name: str, arguments: list[str]) -> None:
    """This process's target; it does not return."""
    import atheris  # noqa: PLC0415

    with atheris.instrument_imports(include=["esr_tui"]):
        from tests.fuzz.seeds import seeds  # noqa: PLC0415
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415

    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (folder / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}", f"-rss_limit_mb={_MEMORY}"]
    given = arguments if arguments and not arguments[0].startswith("-") else [*arguments, str(folder)]
    atheris.Setup([sys.argv[0], f"-artifact_prefix={KEPT}/{name}-", *limits, *given], TARGETS[name])
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """All targets, or those named."""
    if arguments[:1] == ["--one"]:
        one(arguments[1], arguments[2:])
        return 0
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415

    seconds = int(arguments[0]) if arguments else 120
    failed = []
    for name in arguments[1:] or TARGETS:
        print(f"{name}: {seconds} s", flush=True)
        command = [sys.executable, __file__, "--one", name, f"-max_total_time={seconds}", "-verbosity=0"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    print(f"findings in: {', '.join(failed)}; see {KEPT.name}/" if failed else "nothing found")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
