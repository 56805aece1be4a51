"""A session's cgroup is made, filled, recognised and released: in a directory that stands for the hierarchy."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from esr_tui.sessions import proc
from esr_tui.sessions.cgroups import CgroupError, Cgroups
from esr_tui.sessions.proc import Process


class Hierarchy:
    """A directory with `cgroup.procs`, and the process table that goes with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where: dict[int, str] = {}
        self.parents: dict[int, int] = {}
        root.mkdir()
        (root / "cgroup.procs").touch()

    def cgroup(self, pid: int) -> str | None:
        return self.where.get(pid)

    def processes(self) -> list[Process]:
        return [
            Process(pid=pid, ppid=ppid, comm="x", pgid=pid, sid=pid, tty=-1, started=1)
            for pid, ppid in self.parents.items()
        ]


@pytest.fixture
def hierarchy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hierarchy:
    made = Hierarchy(tmp_path / "cgroup")
    monkeypatch.setattr(proc, "cgroup", made.cgroup)
    monkeypatch.setattr(proc, "processes", made.processes)
    return made


@pytest.fixture
def cgroups(hierarchy: Hierarchy) -> Cgroups:
    found = Cgroups(hierarchy.root)
    found.prepare()
    return found


def test_leftovers_of_an_earlier_recorder_are_removed(hierarchy: Hierarchy) -> None:
    (hierarchy.root / "esr" / "old").mkdir(parents=True)
    (hierarchy.root / "esr" / "busy").mkdir()
    (hierarchy.root / "esr" / "busy" / "below").mkdir()
    Cgroups(hierarchy.root).prepare()
    assert [each.name for each in (hierarchy.root / "esr").iterdir()] == ["busy"]


def test_what_another_recorder_is_just_filling_is_left_alone(hierarchy: Hierarchy) -> None:
    made = hierarchy.root / "esr" / "new"
    made.mkdir(parents=True)
    fd = os.open(hierarchy.root / "esr", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    Cgroups(hierarchy.root).prepare()
    assert made.is_dir()
    os.close(fd)
    Cgroups(hierarchy.root).prepare()
    assert not made.exists()


def test_a_living_recorders_empty_cgroups_are_left_alone(
    hierarchy: Hierarchy, cgroups: Cgroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cgroups, "_move", lambda *_: None)  # no processes in it, as after their end
    place = cgroups.place("sid-1", 10, ())
    another = Cgroups(hierarchy.root)
    another.prepare()
    assert Path(place.folder).is_dir()
    same = another.place("sid-1", 10, ())  # as one that takes over
    os.close(cgroups._held.pop(place.folder))
    Cgroups(hierarchy.root).prepare()
    assert Path(place.folder).is_dir()
    another.release(same)
    assert not Path(place.folder).exists()


def test_a_dead_recorders_cgroups_are_removed(hierarchy: Hierarchy, cgroups: Cgroups, tmp_path: Path) -> None:
    folder = hierarchy.root / "esr" / "sid-1"
    folder.mkdir()
    code = (
        "import sys; from pathlib import Path; from esr_tui.sessions.cgroups import Cgroups; "
        "Cgroups(Path(sys.argv[1]))._hold(Path(sys.argv[2])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(hierarchy.root), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as recorder:
        assert recorder.stdout and recorder.stdout.readline() == b"held\n"
        cgroups.prepare()
        assert folder.is_dir()
        recorder.kill()
    cgroups.prepare()
    assert not folder.exists()


def test_a_session_gets_a_cgroup_with_its_processes(hierarchy: Hierarchy, cgroups: Cgroups) -> None:
    hierarchy.where[10] = "/"
    hierarchy.parents = {10: 1, 11: 10, 12: 11, 99: 1}
    place = cgroups.place("sid-1", 10, {11})
    folder = hierarchy.root / "esr" / "sid-1"
    assert (place.made, place.path, place.level) == (True, "/esr/sid-1", 2)
    assert place.id == folder.stat().st_ino
    assert (folder / "cgroup.procs").read_text() == "12", "the last one moved: a child that began meanwhile"


def test_a_cgroup_that_vanishes_while_it_is_empty_is_made_again(
    hierarchy: Hierarchy, cgroups: Cgroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[Path] = []

    def move(folder: Path, pids: set[int]) -> None:
        turns.append(folder)
        if len(turns) == 1:
            folder.rmdir()

    monkeypatch.setattr(Cgroups, "_move", staticmethod(move))
    place = cgroups.place("sid-1", 10, ())
    assert len(turns) == 2
    assert place.id == Path(place.folder).stat().st_ino


def test_a_login_with_a_scope_of_its_own_stays_there(hierarchy: Hierarchy, cgroups: Cgroups) -> None:
    scope = hierarchy.root / "user.slice" / "user-1000.slice" / "session-4.scope"
    scope.mkdir(parents=True)
    hierarchy.where[10] = "/user.slice/user-1000.slice/session-4.scope"
    place = cgroups.place("sid-1", 10, ())
    assert (place.made, place.level, place.id) == (False, 3, scope.stat().st_ino)
    cgroups.release(place)
    assert scope.is_dir()


def test_another_recorders_cgroup_is_left_to_it(hierarchy: Hierarchy, cgroups: Cgroups) -> None:
    (hierarchy.root / "esr" / "theirs").mkdir()
    hierarchy.where[10] = "/esr/theirs"
    place = cgroups.place("mine", 10, ())
    assert (place.made, place.path) == (False, "/esr/theirs")


def test_the_own_cgroup_of_before_a_crash_is_taken_up(hierarchy: Hierarchy, cgroups: Cgroups) -> None:
    (hierarchy.root / "esr" / "mine").mkdir()
    hierarchy.where[10] = "/esr/mine"
    assert cgroups.place("mine", 10, ()).made


def test_a_place_holds_what_is_below_it(hierarchy: Hierarchy, cgroups: Cgroups) -> None:
    hierarchy.where[10] = "/"
    place = cgroups.place("sid-1", 10, ())
    below = hierarchy.root / "esr" / "sid-1" / "a" / "b"
    below.mkdir(parents=True)
    assert place.holds(place.id)
    assert place.holds(below.stat().st_ino)
    assert not place.holds(hierarchy.root.stat().st_ino)


def test_released_cgroups_vanish_with_what_is_below(hierarchy: Hierarchy, cgroups: Cgroups) -> None:
    hierarchy.where[10] = "/"
    place = cgroups.place("sid-1", 10, ())
    folder = hierarchy.root / "esr" / "sid-1"
    (folder / "below").mkdir()
    (folder / "cgroup.procs").unlink()  # in a real hierarchy it goes with the directory
    cgroups.release(place)
    assert not folder.exists()
    cgroups.release(place)


def test_who_may_not_mount_takes_the_hierarchy_where_it_is(
    tmp_path: Path, hierarchy: Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")  # nothing can be mounted there
    monkeypatch.setattr(proc, "mounts", lambda kind: [hierarchy.root] if kind == "cgroup2" else [])
    hierarchy.where[10] = "/"
    found = Cgroups(tmp_path / "file")
    found.prepare()
    assert found.place("sid", 10, ()).folder == str(hierarchy.root / "esr" / "sid")


def test_a_refusal_is_one_sentence(
    tmp_path: Path, hierarchy: Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(proc, "mounts", lambda _kind: [])
    with pytest.raises(CgroupError, match="cgroup_path"):
        Cgroups(tmp_path / "file").prepare()
    with pytest.raises(CgroupError, match="cannot be used"):
        Cgroups(hierarchy.root).place("sid", 10, ())
