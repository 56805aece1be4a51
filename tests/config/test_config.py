"""Configuration: defaults, precedence, Teleport's file, and errors that name file, line and key."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.config import Config, ConfigError, EnhancedRecording, load
from esr_tui.config.loading import from_text

TELEPORT = """\
# Example config to be saved as etc/teleport.yaml
teleport:
  nodename: graviton-node
  auth_token: exampletoken
  data_dir: /var/lib/teleport
proxy_service:
  enabled: false
auth_service:
  enabled: false
ssh_service:
  enabled: true
  enhanced_recording:
    # Enable or disable enhanced auditing for this node. Default value: false.
    enabled: true

    # Optional: command_buffer_size is optional with a default value of 8 pages.
    command_buffer_size: 8
    disk_buffer_size: 128
    network_buffer_size: 8
    cgroup_path: /cgroup2
"""


def said(tmp_path: Path, text: str | bytes) -> Config:
    """The configuration of a file with this text."""
    path = tmp_path / "esr.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, environ={})


def refused(tmp_path: Path, text: str | bytes) -> str:
    """The sentence with which a file is refused; it always names the file."""
    with pytest.raises(ConfigError) as caught:
        said(tmp_path, text)
    sentence = str(caught.value)
    assert str(tmp_path / "esr.yaml") in sentence
    assert "\n" not in sentence
    return sentence


def test_defaults_need_no_file(tmp_path: Path) -> None:
    assert said(tmp_path, "") == Config()
    assert said(tmp_path, "# only a comment\n") == Config()
    section = Config().enhanced_recording
    assert (section.command_buffer_size, section.disk_buffer_size) == (1024, 4096)
    assert (section.network_buffer_size, section.terminal_buffer_size) == (4096, 4096)
    assert section.cgroup_path == "/cgroup2"
    assert Config().data_dir == Path("/var/lib/esr")


def test_every_key_is_taken(tmp_path: Path) -> None:
    config = said(
        tmp_path,
        "data_dir: /srv/esr\n"
        "login_daemons: [sshd, dropbear]\n"
        "enhanced_recording:\n"
        "  enabled: no\n"
        "  command_buffer_size: 1\n"
        "  disk_buffer_size: 65536\n"
        "  network_buffer_size: 16\n"
        "  terminal_buffer_size: 32\n"
        "  cgroup_path: /sys/fs/cgroup\n",
    )
    assert config == Config(
        data_dir=Path("/srv/esr"),
        login_daemons=("sshd", "dropbear"),
        enhanced_recording=EnhancedRecording(
            enabled=False,
            command_buffer_size=1,
            disk_buffer_size=65536,
            network_buffer_size=16,
            terminal_buffer_size=32,
            cgroup_path="/sys/fs/cgroup",
        ),
    )


def test_command_line_beats_environment_beats_file(tmp_path: Path) -> None:
    path = tmp_path / "esr.yaml"
    path.write_text("data_dir: /from/file\n")
    assert load(path, environ={}).data_dir == Path("/from/file")
    assert load(path, environ={"ESR_DATA_DIR": ""}).data_dir == Path("/from/file")
    assert load(path, environ={"ESR_DATA_DIR": "/from/env"}).data_dir == Path("/from/env")
    assert load(path, data_dir=Path("/typed"), environ={"ESR_DATA_DIR": "/from/env"}).data_dir == Path(
        "/typed"
    )


def test_relative_directory_on_the_command_line_is_below_the_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "esr.yaml"
    path.write_text("")
    assert load(path, environ={"ESR_DATA_DIR": "store"}).data_dir == tmp_path / "store"


def test_teleport_file_as_it_is(tmp_path: Path) -> None:
    config = said(tmp_path, TELEPORT)
    assert config.data_dir == Path("/var/lib/esr"), "Teleport's own data_dir is not for esr to write to"
    section = config.enhanced_recording
    assert section.enabled
    assert (section.command_buffer_size, section.disk_buffer_size, section.network_buffer_size) == (8, 128, 8)
    assert section.terminal_buffer_size == 4096


def test_teleport_spellings(tmp_path: Path) -> None:
    text = TELEPORT.replace("    enabled: true\n\n", '    enabled: "no"\n    root_path: /teleport\n')
    assert not said(tmp_path, text).enhanced_recording.enabled
    assert said(tmp_path, "ssh_service:\n  enabled: true\n") == Config()
    assert said(tmp_path, "teleport:\n  nodename: x\nssh_service:\n  enhanced_recording:\n") == Config()


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("disk_buffer_size: 128", "disk_buffer_size: 100", 18, "enhanced_recording.disk_buffer_size"),
        (
            "command_buffer_size: 8\n",
            "command_buffer_size: eight\n",
            17,
            "enhanced_recording.command_buffer_size",
        ),
        ("cgroup_path: /cgroup2", "cgroup_pat: /cgroup2", 20, "enhanced_recording.cgroup_pat"),
    ],
)
def test_teleport_section_is_checked(tmp_path: Path, old: str, new: str, line: int, key: str) -> None:
    sentence = refused(tmp_path, TELEPORT.replace(old, new))
    assert f"line {line}, key {key}:" in sentence


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("\n\nfoo: 1\n", 3, "foo"),
        ("data_dir: 3\n", 1, "data_dir"),
        ("data_dir: relative\n", 1, "data_dir"),
        ('data_dir: "/a\\0b"\n', 1, "data_dir"),
        ("enhanced_recording: 3\n", 1, "enhanced_recording"),
        ("enhanced_recording:\n  enabled: maybe\n", 2, "enhanced_recording.enabled"),
        ("enhanced_recording:\n  enabled: 1\n", 2, "enhanced_recording.enabled"),
        ("enhanced_recording:\n  disk_buffer_sise: 8\n", 2, "enhanced_recording.disk_buffer_sise"),
        ("enhanced_recording:\n\n  disk_buffer_size: 0\n", 3, "enhanced_recording.disk_buffer_size"),
        ("enhanced_recording:\n  disk_buffer_size: -8\n", 2, "enhanced_recording.disk_buffer_size"),
        ("enhanced_recording:\n  disk_buffer_size: 131072\n", 2, "enhanced_recording.disk_buffer_size"),
        ("enhanced_recording:\n  disk_buffer_size: true\n", 2, "enhanced_recording.disk_buffer_size"),
        ("enhanced_recording:\n  disk_buffer_size: 8.5\n", 2, "enhanced_recording.disk_buffer_size"),
        ("enhanced_recording:\n  cgroup_path: cgroup2\n", 2, "enhanced_recording.cgroup_path"),
        ("login_daemons:\n  - sshd\n  - 3\n", 3, "login_daemons[1]"),
        ("login_daemons:\n  - sshd\n  - a-name-that-is-too-long\n", 3, "login_daemons[1]"),
        ("login_daemons: sshd\n", 1, "login_daemons"),
        ("login_daemons: []\n", 1, "login_daemons"),
        ("rules:\n  - /opt/sigma\n  - sigma\n", 3, "rules[1]"),
        ("rules: [3]\n", 1, "rules[0]"),
        ("rules: /opt/sigma\n", 1, "rules"),
        ("data_dir: /a\nlogin_daemons: [sshd]\ndata_dir: /b\n", 3, "data_dir"),
        ("enhanced_recording:\n  enabled: on\n  enabled: off\n", 3, "enhanced_recording.enabled"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "a"),
        ("data_dir: 2001-99-99\n", 1, "data_dir"),
        ("<<: {data_dir: /x}\n", 1, "<<"),
    ],
)
def test_errors_name_line_and_key(tmp_path: Path, text: str, line: int, key: str) -> None:
    assert f"line {line}, key {key}:" in refused(tmp_path, text)


def test_misspelt_key_gets_the_right_one(tmp_path: Path) -> None:
    assert "known here: disk_buffer_size" in refused(tmp_path, "enhanced_recording: {disk_bufer_size: 8}")
    assert "write 64 or 128" in refused(tmp_path, "enhanced_recording: {disk_buffer_size: 100}")


@pytest.mark.parametrize(
    "text", ["a", "[1, 2]", "\tx: 1", "a: b: c", "---\na: 1\n---\nb: 2\n", "? [a]\n: 1", "a: 'open", "x: [1"]
)
def test_what_is_no_mapping_of_yaml_names_a_line(tmp_path: Path, text: str) -> None:
    assert "line " in refused(tmp_path, text)


def test_aliases_are_refused_before_they_explode(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 12):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    assert "line 2: aliases" in refused(tmp_path, bomb)
    assert "aliases" in refused(tmp_path, "a: &a [*a]\n")


def test_depth_and_size_are_bounded(tmp_path: Path) -> None:
    assert "nested deeper" in refused(tmp_path, "[" * 100_000)
    assert "nested deeper" in refused(tmp_path, "{a: " * 50_000)
    assert "larger than 1 MiB" in refused(tmp_path, b"#" * (1 << 20) + b"\n")
    assert said(tmp_path, b"#" * ((1 << 20) - 1) + b"\n") == Config()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert "line 2: no UTF-8" in refused(tmp_path, b"data_dir: /x\n\xff\xfe\n")
    assert "no YAML" in refused(tmp_path, b"x: \x01\n")
    assert said(tmp_path, b"\xef\xbb\xbfdata_dir: /x\n").data_dir == Path("/x")


def test_hostile_keys_are_shown_inert(tmp_path: Path) -> None:
    sentence = refused(tmp_path, '"\\e[2Jkey\\u202e": 1\n')
    assert "\x1b" not in sentence
    assert "\u202e" not in sentence


def test_missing_and_odd_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml is missing"):
        load(tmp_path / "gone.yaml", environ={})
    with pytest.raises(ConfigError, match="not a regular file"):
        load(tmp_path, environ={})
    with pytest.raises(ConfigError, match="not a regular file"):
        load(Path("/dev/null"), environ={})


def test_config_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Config().data_dir = Path("/x")  # type: ignore[misc]
    assert msgspec.structs.replace(Config(), data_dir=Path("/y")).data_dir == Path("/y")


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_config_or_a_sentence(text: str) -> None:
    try:
        assert isinstance(from_text("esr.yaml", text), Config)
    except ConfigError as error:
        assert str(error).startswith("esr.yaml")


@given(st.integers(0, 16))
def test_every_power_of_two_is_a_size(exponent: int) -> None:
    config = from_text("esr.yaml", f"enhanced_recording: {{terminal_buffer_size: {1 << exponent}}}")
    assert config.enhanced_recording.terminal_buffer_size == 1 << exponent


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has reason to distrust the owners of files")
@pytest.mark.parametrize(("owner", "mode"), [(65534, 0o644), (0, 0o646)])
def test_root_does_not_follow_a_file_that_others_can_change(tmp_path: Path, owner: int, mode: int) -> None:
    path = tmp_path / "esr.yaml"
    path.write_text("idle: 3\n")
    assert load(path).idle == 3
    os.chown(path, owner, -1)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chown root"):
        load(path)
