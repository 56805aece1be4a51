"""What a service manager is told, who holds the lock, and what a new configuration changes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from esr_tui.capture.companion import Companion
from esr_tui.capture.lock import Lock
from esr_tui.capture.notify import Notifier
from esr_tui.capture.reload import LIVE, merged, reload
from esr_tui.config import Config
from esr_tui.config.schema import Alerts, EnhancedRecording
from esr_tui.recording.errors import StoreError


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def heard(manager: socket.socket) -> list[bytes]:
    return manager.recv(4096).split(b"\n")


def test_a_manager_hears_of_each_step(manager: socket.socket) -> None:
    environ = environment(manager)
    notifier = Notifier.of_environment(environ)
    assert environ == {}, "no child speaks for the recorder"
    notifier.ready("2 sessions")
    assert heard(manager) == [b"READY=1", b"STATUS=2 sessions"]
    notifier.reloading()
    first, second = heard(manager)
    assert first == b"RELOADING=1"
    assert second.startswith(b"MONOTONIC_USEC=")
    notifier.stopping("over")
    assert heard(manager) == [b"STOPPING=1", b"STATUS=over"]


def test_the_watchdog_is_fed_in_time_and_not_at_each_step(manager: socket.socket) -> None:
    notifier = Notifier.of_environment(environment(manager, WATCHDOG_USEC="60000000"))
    notifier.ready("same")
    assert heard(manager)[0] == b"READY=1"
    for _ in range(100):
        notifier.alive("same")
    assert heard(manager) == [b"WATCHDOG=1"]
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard(manager)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": "vsock:2:1"},
        {"NOTIFY_SOCKET": "/nowhere/at/all"},
        {"NOTIFY_SOCKET": "@esr-test-nobody-listens"},
        {"WATCHDOG_USEC": "soon"},
    ],
)
def test_without_a_manager_nothing_happens(environ: dict[str, str]) -> None:
    notifier = Notifier.of_environment(environ)
    notifier.ready("x")
    notifier.alive("y")


def test_the_watchdog_of_another_process_is_not_fed(manager: socket.socket) -> None:
    notifier = Notifier.of_environment(environment(manager, WATCHDOG_USEC="1000", WATCHDOG_PID="1"))
    notifier.alive("")
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard(manager)


def test_a_second_recorder_says_who_holds_the_lock(tmp_path: Path) -> None:
    first = Lock(tmp_path)
    assert first.take()
    first.sign()
    with pytest.raises(StoreError) as raised:
        Lock(tmp_path).refuse()
    said = str(raised.value)
    assert f"pid {os.getpid()}, since 20" in said
    assert "pytest" in said, "its command line"
    assert "--takeover" in said
    first.release()
    second = Lock(tmp_path)
    assert second.take()
    second.release()


def test_what_was_handed_over_is_known_to_the_next(tmp_path: Path) -> None:
    first, second = Lock(tmp_path), Lock(tmp_path)
    assert first.take()
    first.sign()
    before = second.holder()
    assert before is not None
    assert (before.pid, before.hands_over, before.until) == (os.getpid(), True, None)
    first.hand_over(123456789, 5000)
    after = second.holder()
    assert after is not None
    assert (after.until, after.margin) == (123456789, 5000)
    assert second.take()
    second.release()


def test_how_a_recorder_ended_is_known_to_the_next(tmp_path: Path) -> None:
    first = Lock(tmp_path)
    assert first.take()
    assert first.begin() == "had been stopped", "there was none"
    first.release()  # as the kernel does for one that is killed
    second = Lock(tmp_path)
    assert second.take()
    second.sign()
    assert second.begin().startswith("had ended without a word")
    second.stopped()
    third = Lock(tmp_path)
    assert third.take()
    third.sign()
    third.release()  # it could not load its programs, and recorded nothing
    fourth = Lock(tmp_path)
    assert fourth.take()
    assert fourth.begin() == "had been stopped"
    fourth.release()


@pytest.mark.parametrize("text", ["", "no number\n", "1\nhands over\nuntil x y\n", "\0" * 300, "9" * 300])
def test_a_damaged_lock_file_is_no_holder_that_hands_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "capture.lock").write_text(text)
    lock = Lock(tmp_path)
    holder = lock.holder()
    assert holder is None or holder.until is None
    lock.release()


def test_a_reload_takes_what_can_change_and_names_what_cannot() -> None:
    old = Config()
    new = Config(
        alerts=Alerts(severity="low"),
        login_daemons=("dropbear",),
        enhanced_recording=EnhancedRecording(disk_buffer_size=8),
        data_dir=Path("/elsewhere"),
    )
    done = merged(old, new)
    assert done.config == msgspec.structs.replace(old, alerts=new.alerts)
    assert "alerts.severity changed" in done.sentence
    for key in ("data_dir", "login_daemons", "enhanced_recording.disk_buffer_size"):
        assert key in done.sentence.partition(";")[2]
    assert "--takeover" in done.sentence
    assert merged(old, old).sentence == "configuration read again"
    assert set(Config.__struct_fields__) >= LIVE


def test_a_bad_file_keeps_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "esr.yaml"
    path.write_text("alerts:\n  severity: loud\n")
    done = reload(Config(), path, Path("/store"))
    assert done.refused
    assert done.config == Config()
    assert "kept" in done.sentence
    assert "line 2, key alerts.severity" in done.sentence


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_analyst_that_dies_is_started_again_and_counted() -> None:
    said: list[str] = []
    began: list[subprocess.Popen[bytes]] = []
    clock = Clock()

    def start(_config: Config) -> subprocess.Popen[bytes]:
        began.append(subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]))
        return began[-1]

    companion = Companion(start, said.append, clock)
    companion.begin(Config())
    pauses = []
    for _ in range(4):
        began[-1].wait(10)
        died = clock.now
        companion.look()
        count = len(began)
        while len(began) == count:
            clock.now += 0.5
            companion.look()
        pauses.append(clock.now - died)
    assert pauses == [1, 2, 4, 8]
    assert companion.deaths == 4
    assert "exit status 3" in said[0]
    began[-1].wait(10)
    companion.end()


def test_a_new_configuration_goes_to_a_new_analyst_without_a_wait() -> None:
    given: list[Config] = []
    began: list[subprocess.Popen[bytes]] = []

    def start(config: Config) -> subprocess.Popen[bytes]:
        given.append(config)
        began.append(subprocess.Popen(["sleep", "600"]))
        return began[-1]

    companion = Companion(start, pytest.fail)
    companion.begin(Config())
    companion.begin(Config(idle=5.0))
    began[0].wait(10)
    companion.look()
    assert [config.idle for config in given] == [2.0, 5.0]
    companion.end()
    assert began[1].poll() is not None
    assert companion.deaths == 0
