"""The recorder with no more rights than its systemd unit gives it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.install import unit
from esr_tui.model.events import Command, Disk, Gap, Input, Network, SessionEnd
from tests.e2e.account import Account
from tests.e2e.capturing import Capture
from tests.e2e.server import OWN, Sshd, watching

_NO_NEW_CODE = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, from Linux 6.3 on: what MemoryDenyWriteExecute= means
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def confined(tmp_path: Path) -> Iterator[Capture]:
    """A recorder with the unit's capabilities, no_new_privs, and no memory that is written and executed."""
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv is missing; apt-get install util-linux"
    bounding = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in unit.CAPABILITIES)])
    confine = [
        setpriv,
        f"--bounding-set={bounding}",
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--no-new-privs",
    ]
    recorder = Capture(
        tmp_path / "store",
        watching(OWN),
        prefix=[*confine, sys.executable, "-c", _NO_NEW_CODE],
    )
    yield recorder
    recorder.stop()


def test_everything_is_recorded_with_the_units_capabilities(
    confined: Capture, own_sshd: Sshd, account: Account
) -> None:
    account.write("private.sh", "/bin/true from-script\n", mode=0o600)
    with own_sshd.login() as client:
        (recording,) = confined.new(account.name, [])
        client.run("/bin/true typed; sh private.sh; cat /etc/hostname; echo /bin/true piped | sh")
        client.run(f"exec 3<>/dev/tcp/127.0.0.1/{own_sshd.port}; exec 3<&-")
        client.type("exit 5\n")
        assert client.ended() == 5
    recording.ended()
    assert recording.output == client.received
    marks = [c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true"]
    assert marks == ["typed", "from-script", "piped"]
    assert {"/bin/true from-script\n", "/bin/true piped\n"} <= {event.text for event in recording.all(Input)}
    assert recording.all(Disk, path="/etc/hostname")
    assert any(event.dst_port == own_sshd.port for event in recording.all(Network))
    assert recording.all(Gap) == []
    assert recording.only(SessionEnd).return_code == 5
    status = Path(f"/proc/{confined.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
