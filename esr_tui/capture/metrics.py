"""The recorder's figures as Prometheus reads them (text, 0.0.4): a name, labels and a number a line."""

from __future__ import annotations

from collections.abc import Iterator

from esr_tui.model.status import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[dict[str, str], float]


def exposition(status: Status | None) -> str:
    """All figures; of a recorder that never said anything, that it is not up."""
    lines: list[str] = []
    for name, kind, about, samples in _metrics(status):
        lines += [f"# HELP esr_{name} {about}", f"# TYPE esr_{name} {kind}"]
        for labels, value in samples:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"esr_{name}{'{' + inside + '}' if inside else ''} {value:.17g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _metrics(status: Status | None) -> Iterator[tuple[str, str, str, list[Sample]]]:
    if status is None:
        return
    yield "info", "gauge", "The recorder's version.", [({"version": status.version}, 1)]
    for name, kind, about, value in (
        ("sessions", "gauge", "Sessions recorded now.", status.sessions),
        ("sessions_lingering", "gauge", "Of these, those whose login has ended.", status.lingering),
        ("login_daemons", "gauge", "Processes of login daemons that are watched.", status.daemons),
        ("hooks", "gauge", "Places in the kernel where programs are attached.", len(status.hooks)),
        ("analyst_up", "gauge", "Whether the analyst runs.", status.analyst),
        ("analyst_deaths_total", "counter", "How often the analyst died.", status.analyst_deaths),
        ("write_waiting_bytes", "gauge", "Bytes that wait for the disk.", status.writing.waiting),
        ("write_waiting_highest_bytes", "gauge", "The most that have waited.", status.writing.highest),
        ("write_waiting_limit_bytes", "gauge", "The most that may wait.", status.writing.limit),
        ("write_failing", "gauge", "Whether the disk takes nothing.", bool(status.writing.failing)),
        ("store_free_bytes", "gauge", "Free on the store's file system.", status.store_free),
        ("store_size_bytes", "gauge", "The size of the store's file system.", status.store_size),
        ("store_used_bytes", "gauge", "Bytes of all recordings.", status.store_used),
    ):
        if value is not None:
            yield name, kind, about, [({}, value)]
    yield from _of_rings(status)


def _of_rings(status: Status) -> Iterator[tuple[str, str, str, list[Sample]]]:
    rings = status.rings.items()
    yield (
        "ring_fill_ratio",
        "gauge",
        "How full a ring was when it was emptied last.",
        [({"ring": name}, ring.now / 100) for name, ring in rings],
    )
    yield (
        "ring_fill_highest_ratio",
        "gauge",
        "How full a ring was at its fullest.",
        [({"ring": name}, ring.highest / 100) for name, ring in rings],
    )
    yield (
        "records_total",
        "counter",
        "Records that came out of a ring.",
        [({"ring": name}, ring.records) for name, ring in rings],
    )
    lost = {**status.lost, **status.writing.dropped}
    yield (
        "lost_total",
        "counter",
        "What was lost, by kind and cause: bytes of terminal output, else records (passed_over: times; compat: calls).",
        [
            (dict(zip(("kind", "cause"), name.split(".", 1), strict=True)), count)
            for name, count in lost.items()
        ],
    )
