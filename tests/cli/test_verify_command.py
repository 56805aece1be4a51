"""`esr verify` and `esr export --bundle`."""

from __future__ import annotations

import json
import random
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.exchange.bundle import Bundle, header, verify_bundle
from esr_tui.exchange.errors import ForeignError
from esr_tui.recording.chain import note_removal

Esr = Callable[..., Any]


@pytest.fixture
def bundle(recorder: Any, esr: Esr, tmp_path: Path) -> Path:
    """Of an ended session."""
    sid = recorder.finished()
    out = tmp_path / "case 7.esr"
    assert esr("export", sid, "--bundle", str(out)).code == 0
    return out


def test_states_and_exit_codes(recorder: Any, esr: Esr) -> None:
    sid = recorder.finished()
    came = esr("verify", sid)
    assert came.code == 0
    assert f"{sid}  intact: every byte is as it was sealed" in came.out
    assert "node.pub elsewhere" in came.out
    live = recorder.begin()
    live.flush()
    assert "live: intact as sealed up to" in esr("verify", live.sid).out
    everything = esr("verify", "--all")
    assert everything.code == 0
    told = [json.loads(line)["state"] for line in esr("verify", "--all", "--json").out.splitlines()]
    assert sorted(told) == ["intact", "intact", "live", "live"]
    live.close()
    index = recorder.store.own_sessions / f"{sid}.index"
    index.write_bytes(index.read_bytes() + b"\n")
    came = esr("verify", sid[:8])
    assert came.code == 1
    assert f"altered: {sid}.index has 1 bytes after byte" in came.out
    index.with_suffix(".seal").unlink()
    (recorder.store.own_dir / "node.seal").unlink()
    assert esr("verify", sid).code == 3
    assert esr("verify").code == 2
    assert esr("verify", sid, "--all").code == 2
    assert "no session begins with" in esr("verify", "nowhere").err


def test_where_nothing_is_nothing_is_called_intact(esr: Esr, tmp_path: Path) -> None:
    for args in (("--all",), (f"{tmp_path}/empty/",)):
        (tmp_path / "empty").mkdir(exist_ok=True)
        done = esr("verify", *args, "--data-dir", str(tmp_path / "empty"))
        assert done.code == 1
        assert "there is nothing to verify in" in done.err


def test_json(recorder: Any, esr: Esr) -> None:
    sid = recorder.finished()
    victim = next(recorder.store.own_sessions.glob("*.chunks.gz"))
    data = bytearray(victim.read_bytes())
    data[20] ^= 1
    victim.write_bytes(data)
    found = [json.loads(line) for line in esr("verify", "--all", "--json").out.splitlines()]
    chain, log, said = found
    assert log["kind"] == "log"
    assert (chain["sid"], chain["state"]) == (recorder.store.node, "intact")
    assert (said["sid"], said["state"]) == (sid, "altered")
    (finding,) = said["findings"]
    assert finding["file"] == victim.name
    assert finding["begin"] <= 20 < finding["end"]


def test_a_key_that_was_kept(recorder: Any, esr: Esr, tmp_path: Path) -> None:
    sid = recorder.finished()
    kept = tmp_path / "node.pub"
    shutil.copy(recorder.data_dir / "node.pub", kept)
    came = esr("verify", sid, "--key", str(kept))
    assert came.code == 0
    assert "which you gave" in came.out
    kept.write_text("no key")
    came = esr("verify", sid, "--key", str(kept))
    assert came.code == 1
    assert "holds no public key of a node" in came.err


def test_what_was_removed_on_purpose(recorder: Any, esr: Esr) -> None:
    sid, gone = recorder.finished(), recorder.finished()
    for each in (sid, gone):
        index = recorder.store.own_sessions / f"{each}.index"
        if each == sid:
            note_removal(index, recorder.data_dir, "retention: older than 90 days")
        for path in index.parent.glob(f"{each}*"):
            path.unlink()
    came = esr("verify", "--all")
    assert came.code == 1
    assert f"{sid}  removed: retention: older than 90 days, at " in came.out
    assert f"{gone}  altered: {gone} is gone" in came.out


def test_a_bundle_is_verified_anywhere(bundle: Path, esr: Esr, tmp_path: Path, recorder: Any) -> None:
    shutil.copy(recorder.data_dir / "node.pub", tmp_path / "pub")
    shutil.rmtree(recorder.data_dir)
    came = esr("verify", str(bundle))
    assert came.code == 0
    assert "intact" in came.out
    assert "only the recording itself names" in came.out
    assert "which you gave" in esr("verify", str(bundle), "--key", str(tmp_path / "pub")).out
    with tarfile.open(bundle) as tar:
        names = tar.getnames()
        assert names[:5] == ["esr-bundle.json", "esr-bundle.seal", "node.pub", "node.seal", "verdicts.jsonl"]
        verdicts = tar.extractfile("verdicts.jsonl")
        assert verdicts is not None
        assert [json.loads(line)["argv"] for line in verdicts] == [["ls", "-la"]]


def test_a_bundle_is_the_same_each_time(bundle: Path, esr: Esr, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert esr("export", Bundle(bundle).sid, "--bundle", str(again)).code == 0
    assert again.read_bytes() == bundle.read_bytes()
    assert esr("export", Bundle(bundle).sid, "--bundle", str(again)).code == 1
    assert oct(again.stat().st_mode & 0o777) == "0o600"


def test_every_command_takes_a_bundle(bundle: Path, esr: Esr, recorder: Any, tmp_path: Path) -> None:
    sid = Bundle(bundle).sid
    before = esr("events", sid, "--json").out, esr("screen", sid, "--at", "end").out
    shutil.rmtree(recorder.data_dir / "log")
    assert (esr("events", str(bundle), "--json").out, esr("screen", str(bundle), "--at", "end").out) == before
    assert "1 commands" in esr("divergence", str(bundle)).out
    again = tmp_path / "second"
    assert esr("export", str(bundle), "--bundle", str(again)).code == 0
    assert esr("verify", str(again)).code == 0


def test_any_bit_of_a_bundle(bundle: Path) -> None:
    whole = bundle.read_bytes()
    chance = random.Random(5)
    for place in (*(chance.randrange(len(whole)) for _ in range(300)), *range(0, 600, 7)):
        data = bytearray(whole)
        data[place] ^= 1 << chance.randrange(8)
        bundle.write_bytes(data)
        try:
            came = verify_bundle(bundle)
        except ForeignError:
            continue
        assert came.state == "altered", place
        assert came.findings[0].sentence
    for size in (0, 10, 512, 2000, len(whole) - 1024, len(whole) - 1):
        bundle.write_bytes(whole[:size])
        assert verify_bundle(bundle).state == "altered"
    bundle.write_bytes(whole)
    assert verify_bundle(bundle).state == "intact"


def members(bundle: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(bundle) as tar:
        return [(each.name, tar.extractfile(each).read()) for each in tar]  # type: ignore[union-attr]


def packed(members: list[tuple[str, bytes]]) -> bytes:
    pieces = [header(name, len(data)) + data + bytes(-len(data) % 512) for name, data in members]
    return b"".join(pieces) + bytes(1024)


def test_hostile_bundles(bundle: Path, esr: Esr, tmp_path: Path) -> None:
    good = members(bundle)
    assert packed(good) == bundle.read_bytes()
    link = tarfile.TarInfo(good[-1][0])
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    huge = header(good[-1][0], (8 << 30) - 1)
    for bad in (
        packed([*good, ("../../../etc/cron.d/x", b"x")]),
        packed([*good, ("/etc/passwd", b"x")]),
        packed([*good, good[-1]]),
        packed([*good, ("another-0.chunks.gz", b"x")]),
        packed(good)[:-1024] + link.tobuf(tarfile.USTAR_FORMAT) + bytes(1024),
        packed(good)[:-1024] + huge + bytes(4096),
        packed(good) + b"more",
        packed([("esr-bundle.json", b'{"esr_bundle":1,"sid":"../x"}')]),
        packed([("esr-bundle.json", b"[" * 500)]),
        packed([("esr-bundle.json", b'{"esr_bundle":9,"sid":"x"}')]),
        packed([good[0]]),
        packed(
            [("esr-bundle.json", b'{"esr_bundle":1,"sid":"x"}')]
            + [(f"x-{n}.chunks.gz", b"") for n in range(10_200)]
        ),
    ):
        bundle.write_bytes(bad)
        came = esr("events", str(bundle))
        assert came.code == 1
        assert came.err.startswith("esr: ")
        assert came.err.count("\n") == 1
        assert esr("verify", str(bundle)).code in {1, 3}
    assert {each.name for each in tmp_path.iterdir()} <= {"store", bundle.name}
    assert not Path("/etc/cron.d/x").exists()


def test_a_bundle_whose_maker_could_not_sign(recorder: Any, esr: Esr, tmp_path: Path) -> None:
    sid = recorder.finished()
    (recorder.data_dir / "node.key").rename(tmp_path / "key")
    out = tmp_path / "out"
    said = esr("export", sid, "--bundle", str(out))
    assert "verdicts are not signed" in said.err
    came = esr("verify", str(out))
    assert came.code == 0
    assert "the word of whoever made it" in came.out


def test_what_is_live_has_no_bundle(recorder: Any, esr: Esr, tmp_path: Path) -> None:
    live = recorder.begin()
    said = esr("export", live.sid, "--bundle", str(tmp_path / "out"))
    assert said.code == 1
    assert "still being recorded" in said.err
    live.close()


def test_another_tools_file(esr: Esr, tmp_path: Path, recorder: Any) -> None:
    cast = tmp_path / "a.cast"
    cast.write_text('{"version": 2, "width": 80, "height": 24}\n[0.5, "o", "hi"]\n')
    came = esr("verify", str(cast))
    assert came.code == 3
    assert "unsealed" in came.out


def test_a_redacted_copy_says_so(recorder: Any, esr: Esr, tmp_path: Path) -> None:
    sid = recorder.finished()
    out = tmp_path / "copy"
    assert esr("redact", sid, str(out), "--pattern", "first").code == 0
    came = esr("verify", str(out), "--key", str(recorder.data_dir / "node.pub"))
    assert came.code == 0
    assert f"redacted: a copy of {sid}, made by " in came.out
    assert "removed: 5 characters" in came.out
    victim = next(out.rglob("*.chunks.gz"))
    victim.write_bytes(victim.read_bytes() + b"x")
    assert esr("verify", str(out)).code == 1


def test_a_chains_head_that_was_kept(recorder: Any, esr: Esr) -> None:
    sid = recorder.finished()
    head = next(
        word for word in esr("verify", "--all").out.split() if word.startswith(f"{recorder.store.node}:")
    )
    recorder.finished()
    assert esr("verify", "--all", "--head", head).code == 0
    came = esr("verify", "--all", "--head", head[:-1] + ("0" if head[-1] != "0" else "1"))
    assert came.code == 1
    assert "is not the chain whose line" in came.out
    assert esr("verify", "--all", "--head", "what").code == 2
    assert esr("verify", sid, "--head", head).code == 2
