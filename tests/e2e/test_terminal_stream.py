"""The recorded terminal is, byte for byte, what the ssh client received."""

from __future__ import annotations

from tests.e2e.account import Account
from tests.e2e.capturing import Capture
from tests.e2e.server import Sshd


def test_a_large_stream_is_recorded_byte_for_byte(recorder: Capture, sshd: Sshd, account: Account) -> None:
    received = b""

    def work() -> None:
        nonlocal received
        received = sshd.run("seq 1 200000; ls -la --color /usr/lib", "-tt")

    (recording,) = recorder.started(account.name, work)
    recording.ended()
    assert len(received) > 1_400_000
    assert recording.output == received
    assert recorder.summary(recording.sid).lost == {}
