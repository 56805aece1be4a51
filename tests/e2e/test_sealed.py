"""A real login is sealed while it is recorded, across a crash of the recorder, and every change is found."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from esr_tui.model.events import Command
from esr_tui.recording.keys import read_public
from esr_tui.recording.verified import Verified
from esr_tui.recording.verifystore import verify_index, verify_store
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

_CONFIG = watching(OWN) + "seal: 1\n"


def test_a_login_is_sealed_through_a_crash(tmp_path: Path, own_sshd: Sshd, account: Account) -> None:
    with ExitStack() as stack, own_sshd.login() as client:
        first = Capture(tmp_path / "store", _CONFIG)
        stack.callback(first.kill)
        (recording,) = first.new(account.name, [])
        index = recording.index
        client.run("/bin/true one")
        recording.wait(Command, argv=["/bin/true", "one"])

        def sealed() -> Verified | None:
            came = verify_index(index)
            assert came.sound, came.findings
            return came if came.lines > 1 and not came.unsealed else None

        live = until(sealed, "a seal of all that was written", 20)
        assert live.state == "live"
        first.kill()
        cut = verify_index(index)
        assert (cut.state, cut.findings) == ("cut", ())

        second = Capture(tmp_path / "store", _CONFIG)
        stack.callback(second.kill)
        client.run("/bin/true two")
        Recording(index).wait(Command, argv=["/bin/true", "two"])
        client.type("exit\n")
        client.ended()
        Recording(index).ended()
        second.stop()
    pinned = read_public(tmp_path / "store" / "node.pub")
    came = verify_index(index, pinned)
    assert (came.state, came.trust, came.findings) == ("intact", "pinned", ())
    assert "another one took over" in came.notes[0]
    assert {each.kind for each in verify_store(tmp_path / "store")} == {"recording", "log", "chain"}
    for path in index.parent.glob(f"{index.stem}*"):  # others may log in meanwhile
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert verify_index(index).state == "altered", path.name
        path.write_bytes(whole)
    assert verify_index(index).state == "intact"
