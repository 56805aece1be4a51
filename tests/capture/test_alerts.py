"""Alerts that leave the node: who is told, how it looks, what is counted."""

from __future__ import annotations

import http.server
import json
import os
import pwd
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.capture.alerts import Sender, syslog_line, to_command, to_syslog, to_webhook
from esr_tui.config import Config, load
from esr_tui.config.loading import from_text
from esr_tui.config.schema import Alerts, ConfigError
from esr_tui.model.verdict import Divergence
from esr_tui.sessions.proc import cmdline, processes
from tests.e2e.waiting import until

EVENT = Divergence(
    code="E4008W", time="2026-11-22T17:00:00.000Z", uid="u", ei=1, sid="s1", user="ann", pid=42, path='/bin/"x]\\',
    argv=["x", "\x1b[31m"], verdict="piped", severity="high", reason="because",
)  # fmt: skip


def test_syslog_has_structured_data_and_nothing_that_acts() -> None:
    line = syslog_line(EVENT, host="node").decode()
    assert line.startswith("<83>1 2026-11-22T17:00:00.000Z node esr 42 divergence [esr@32473 ")
    assert 'path="/bin/\\"x\\]\\\\"' in line
    assert "\x1b" not in line


def test_syslog_goes_to_a_datagram_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        to_syslog(EVENT, str(tmp_path / "log"))
        assert b"piped: x" in server.recv(4096)


def test_a_webhook_gets_the_event_as_json() -> None:
    got: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        to_webhook(EVENT, f"http://127.0.0.1:{server.server_address[1]}/")
    assert json.loads(got[0])["verdict"] == "piped"


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that a command can write to, whoever it runs as."""
    with tempfile.TemporaryDirectory(prefix="esr-alerts-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_a_command_gets_the_event_on_its_input(anybodys: Path) -> None:
    to_command(EVENT, ["/bin/sh", "-c", f"cat > {anybodys}/got"], "nobody")
    assert json.loads((anybodys / "got").read_bytes())["sid"] == "s1"


def test_a_command_runs_as_its_user_with_nothing_of_the_recorders(
    anybodys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD_FOR_TEST", "x")
    kept = os.open("/", os.O_RDONLY)
    os.set_inheritable(kept, True)
    told = "; ".join(
        f"{command} > {name}"
        for name, command in {
            "uid": "id -u",
            "groups": "id -G",
            "umask": "umask",
            "files": "ls /proc/self/fd",
            "environment": "env",
        }.items()
    )
    to_command(EVENT, ["/bin/sh", "-c", f"pwd > {anybodys}/pwd; cd {anybodys}; {told}"], "nobody")
    os.close(kept)
    said = {each.name: each.read_text().split("\n") for each in anybodys.iterdir()}
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    assert (said["uid"][0], said["umask"][0], said["pwd"][0]) == (str(account.pw_uid), "0077", "/")
    if os.geteuid() == 0:
        assert said["groups"][0] == str(account.pw_gid)
    names = {line.partition("=")[0] for line in said["environment"] if line}
    assert names <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}
    assert len(said["files"]) - 1 == 4, "0, 1, 2, and what ls reads"


def test_a_command_that_hangs_is_killed_with_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esr_tui.capture.alerts._TIMEOUT_S", 0.3)
    mark = f"600.{os.getpid()}"
    with pytest.raises(subprocess.TimeoutExpired):
        to_command(EVENT, ["/bin/sh", "-c", f"sleep {mark} & sleep {mark}; wait"], "nobody")

    def gone() -> bool:  # killed they are at once, but each dies when it next gets time
        return not any(mark.encode() in b" ".join(cmdline(each.pid)) for each in processes())

    until(gone, "what it started to die")


def test_an_unknown_user_and_a_failing_command_are_errors() -> None:
    if os.geteuid() == 0:
        with pytest.raises(OSError, match="no user 'nobody-of-this-name'"):
            to_command(EVENT, ["/bin/true"], "nobody-of-this-name")
    with pytest.raises(subprocess.CalledProcessError):
        to_command(EVENT, ["/bin/false"], "nobody")


def test_what_fails_is_tried_again_and_counted() -> None:
    tries: list[str] = []

    def broken(event: Divergence) -> None:
        tries.append(event.sid)
        raise OSError("nobody there")

    sender = Sender(Alerts(severity="high"), {"webhook": broken}, pause=0)
    sender.offer(EVENT)
    sender.close()
    assert (len(tries), sender.failed) == (3, {"webhook": 1})
    assert sender.trouble() == ["1 alerts could not be sent by webhook (1 in all)"]
    assert sender.trouble() == []


def test_no_more_than_the_rate_and_nothing_below_the_severity() -> None:
    sent: list[Divergence] = []
    sender = Sender(Alerts(severity="critical", rate=2), {"x": sent.append})
    sender.offer(EVENT)
    critical = Divergence(code="", time="", uid="", ei=0, sid="c", severity="critical")
    for _ in range(5):
        sender.offer(critical)
    sender.close()
    assert ([each.sid for each in sent], sender.dropped) == (["c", "c"], 3)


def test_nothing_is_sent_by_default(tmp_path: Path) -> None:
    sender = Sender(Config().alerts)
    sender.offer(EVENT)
    sender.close()
    assert not sender.failed


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("alerts: {severity: awful}", "severity"),
        ("alerts: {rate: 0}", "rate"),
        ("alerts: {webhook: ftp://x}", "webhook"),
        ("alerts: {syslog: log}", "syslog"),
        ("alerts: {command: [mail]}", "command"),
        ("alerts: {user: ''}", "user"),
    ],
)
def test_impossible_alerts_are_refused_with_their_line(text: str, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"line 1.*alerts\.{key}"):
        from_text("esr.yaml", text)


def test_alerts_are_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "esr.yaml"
    path.write_text("alerts:\n  syslog: /dev/log\n  command: [/usr/bin/logger, -t, esr]\n")
    assert load(path).alerts == Alerts(syslog="/dev/log", command=("/usr/bin/logger", "-t", "esr"))
