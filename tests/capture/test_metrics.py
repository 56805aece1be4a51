"""The recorder's figures: as text, in a file, and from an address of this machine alone."""

from __future__ import annotations

import http.client
import re
import threading
from pathlib import Path

import msgspec
import pytest

from esr_tui.capture.keeper import Keeper
from esr_tui.capture.metrics import CONTENT_TYPE, exposition
from esr_tui.capture.serving import Server
from esr_tui.config.keeping import Metrics
from esr_tui.config.schema import Config
from esr_tui.model.status import RingStatus, Status, WritingStatus
from esr_tui.recording import Store, statusfile

STATUS = Status(
    pid=7,
    version='0.1 "x"\n',
    since="2026-11-22T00:00:00.000Z",
    said="2026-11-22T00:00:01.000Z",
    data_dir="/var/lib/esr",
    sessions=3,
    lingering=1,
    without_audit=0,
    daemons=2,
    rings={"disk": RingStatus(1 << 20, 1, 80, 1234, 5.5)},
    lost={"disk.ring_full": 12},
    writing=WritingStatus(10, 20, 30, 0, "", {"terminal.disk_slow": 99}),
    hooks=["sched_process_exec"],
    watching=False,
)
SOON = 30.0


def test_text_is_as_prometheus_reads_it() -> None:
    text = exposition(STATUS)
    assert 'esr_info{version="0.1 \\"x\\"\\n"} 1\n' in text
    assert "esr_sessions 3\n" in text
    assert 'esr_ring_fill_highest_ratio{ring="disk"} 0.80000000000000004\n' in text
    assert 'esr_records_total{ring="disk"} 1234\n' in text
    assert 'esr_lost_total{kind="disk",cause="ring_full"} 12\n' in text
    assert 'esr_lost_total{kind="terminal",cause="disk_slow"} 99\n' in text
    sample = re.compile(r'esr_[a-z_]+(\{[a-z]+="(\\.|[^"\\\n])*"(,[a-z]+="(\\.|[^"\\\n])*")*\})? [0-9.e+-]+')
    for line in text.splitlines():
        assert line.startswith(("# HELP esr_", "# TYPE esr_")) or sample.fullmatch(line), line
    assert exposition(None) == "\n"


def test_status_and_figures_are_files(tmp_path: Path) -> None:
    Store(tmp_path).create()
    said: list[str] = []
    wanted = tmp_path / "esr.prom"
    keeper = Keeper(tmp_path, Config(metrics=Metrics(file=str(wanted))), complain=said.append)
    keeper.offer(STATUS)
    keeper.begin()
    keeper.end(SOON)
    keeper.offer(STATUS)
    found = statusfile.read(tmp_path)
    assert found is not None
    assert found.store_free > 0
    assert msgspec.structs.replace(found, store_free=0, store_size=0, store_used=None) == STATUS
    assert "esr_sessions 3" in wanted.read_text()
    assert wanted.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / statusfile.NAME).stat().st_mode & 0o777 == 0o640
    assert said == []


def test_what_cannot_be_written_is_said_once_and_costs_nothing(tmp_path: Path) -> None:
    Store(tmp_path).create()
    said: list[str] = []
    told = threading.Event()

    def complain(sentence: str) -> None:
        said.append(sentence)
        told.set()

    config = Config(metrics=Metrics(file=str(tmp_path / "none" / "esr.prom")))
    keeper = Keeper(tmp_path, config, complain=complain)
    keeper.begin()
    for _ in range(3):
        keeper.offer(STATUS)
        assert told.wait(SOON)
    keeper.end(SOON)
    assert len(said) == 1
    assert "No such file or directory" in said[0]
    assert statusfile.read(tmp_path) is not None


def test_figures_are_served(tmp_path: Path) -> None:
    statusfile.publish(tmp_path, STATUS)
    server = Server(tmp_path, ("127.0.0.1", 0))
    try:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON)
        client.request("GET", "/metrics")
        answer = client.getresponse()
        assert (answer.status, answer.getheader("Content-Type")) == (200, CONTENT_TYPE)
        assert b"esr_sessions 3" in answer.read()
        client.request("GET", "/etc/passwd")
        assert client.getresponse().status == 404
        client.close()
    finally:
        server.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff" * 100])
def test_a_status_that_is_none_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / statusfile.NAME).write_bytes(content)
    assert statusfile.read(tmp_path) is None
