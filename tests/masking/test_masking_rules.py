"""What is hidden of a command line, of a text, and of a screen; and what is not."""

from __future__ import annotations

import pytest

from esr_tui.config import ConfigError
from esr_tui.config.loading import from_text
from esr_tui.config.schema import MASKS, Masking
from esr_tui.masking import Masker, masker_of
from esr_tui.masking.lens import Lens
from esr_tui.masking.masker import HIDDEN, MARK, hidden
from esr_tui.masking.rules import PRIVATE_KEY, SECRET_FILE, builtin
from esr_tui.model.codec import decode, encode
from esr_tui.model.events import Command, Input
from esr_tui.model.summary import summary
from esr_tui.terminal import Terminal
from esr_tui.terminal.veil import rows, veil

H = HIDDEN
AWS = "AKIAIOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
KEY = [
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    *["b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"] * 4,
    "QyNTUxOQAAACB=",
    "-----END OPENSSH PRIVATE KEY-----",
]


@pytest.fixture(scope="module")
def masker() -> Masker:
    """With the built-in rules."""
    found = masker_of(Masking())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["mysql", "-u", "root", "-pmy pass", "db"], ["mysql", "-u", "root", f"-p{H}", "db"]),
        (["sshpass", "-p", "two words", "ssh", "h"], ["sshpass", "-p", H, "ssh", "h"]),
        (["curl", "-u", "ada:s3 cret", "http://h/"], ["curl", "-u", f"ada:{H}", "http://h/"]),
        (["curl", "https://ada:pw@h/"], ["curl", f"https://ada:{H}@h/"]),
        (["curl", "-H", "Authorization: Bearer abcdef.123"], ["curl", "-H", f"Authorization: Bearer {H}"]),
        (["curl", "-H", "X-Api-Key: abc"], ["curl", "-H", f"X-Api-Key: {H}"]),
        (["prog", "--password=a b c", "x"], ["prog", f"--password={H}", "x"]),
        (["prog", "--db-password", "a b c", "x"], ["prog", "--db-password", H, "x"]),
        (["env", "PGPASSWORD=my pass", "psql"], ["env", f"PGPASSWORD={H}", "psql"]),
        (["sh", "-c", "PGPASSWORD=x psql -c 1; id"], ["sh", "-c", f"PGPASSWORD={H} psql -c 1; id"]),
        (["bash", "-c", "echo hunter2 | sudo -S id"], ["bash", "-c", f"echo {H} | sudo -S id"]),
        (["docker", "login", "-u", "a", "-p", "pw"], ["docker", "login", "-u", "a", "-p", H]),
        (["redis-cli", "-a", "pw", "get", "k"], ["redis-cli", "-a", H, "get", "k"]),
        (["openssl", "rsa", "-passin", "pass:pw"], ["openssl", "rsa", "-passin", f"pass:{H}"]),
        (["aws", AWS], ["aws", H]),
        (["git", "clone", f"https://{GITHUB}@h/x"], ["git", "clone", f"https://{H}@h/x"]),
        (["x", JWT], ["x", H]),
        (["python3", "-c", "\n".join([*KEY, "done"])], ["python3", "-c", "\n".join([H] * 7 + ["done"])]),
    ],
)
def test_arguments(masker: Masker, argv: list[str], shown: list[str]) -> None:
    assert Lens(masker).arguments(argv) == shown


@pytest.mark.parametrize(
    "argv",
    [
        ["mkdir", "-p", "a/b"],
        ["passwd", "ada"],
        ["curl", "-sSo", "/tmp/x", "http://127.0.0.1:8080/"],
        ["ls", "/etc/passwd"],
        ["env", "PWD=/home/ada", "id"],
        ["prog", "--password-file", "/run/pw"],
        ["prog", "--password", "--verbose"],
        ["sh", "-c", 'mysql -p"$PASSWORD" -u root; PASSWORD=$1'],
        ["ssh-keygen", "-t", "ed25519"],
        ["grep", "-r", "token", "src"],
        ["git", "commit", "-m", "tokenizer: faster"],
    ],
)
def test_what_is_no_secret_stays(masker: Masker, argv: list[str]) -> None:
    assert Lens(masker).arguments(argv) == argv


@pytest.mark.parametrize(
    "line",
    [
        "[sudo] password for ada: ",
        "ada@h's password: ",
        "$ ls -l /etc/shadow",
        "drwxr-xr-x 2 root root 4096 Nov 22 22:56 secrets",
        "2026-11-22T22:56:40Z 127.0.0.1:8080 200 OK",
    ],
)
def test_lines_without_secrets_stay(masker: Masker, line: str) -> None:
    assert masker.line(line) == []


def test_a_line_keeps_its_columns(masker: Masker) -> None:
    line = "$ curl -u ada:hunter2 http://h/ # x"
    assert hidden(line, masker.line(line), aligned=True) == f"$ curl -u ada:{MARK * 7} http://h/ # x"


def test_quoted_arguments_of_a_rendered_command_line(masker: Masker) -> None:
    lens = Lens(masker)
    assert lens.text("env 'PGPASSWORD=my pass' psql") == f"env 'PGPASSWORD={H}' psql"
    assert lens.text("mysql -u a '-pmy pass' db") == f"mysql -u a '-p{H}' db"


def test_an_event_says_how_much_of_it_is_hidden(masker: Masker) -> None:
    event = Command(
        code="T4000I",
        time="",
        uid="",
        ei=1,
        sid="s",
        argv=["curl", "-u", "a:b", "http://c:d@e/"],
        path="/bin/curl",
    )
    seen = Lens(masker).event(event)
    assert (seen.masked, seen.path) == (2, "/bin/curl")
    assert summary(seen) == f"curl -u a:{H} http://c:{H}@e/  ‹2 masked›"
    assert decode(encode(seen)) == seen
    assert b'"masked":2' in encode(seen)
    assert b"masked" not in encode(event)


def test_an_input_keeps_what_is_no_secret(masker: Masker) -> None:
    event = Input(code="", time="", uid="", ei=1, sid="s", text="id\nexport TOKEN=abc\nuname\n")
    assert Lens(masker).event(event).text == f"id\nexport TOKEN={H}\nuname\n"


def test_files_that_hold_nothing_but_secrets_are_hidden_whole(masker: Masker) -> None:
    event = Input(
        code="", time="", uid="", ei=1, sid="s", path="/home/ada/.aws/credentials", text="[a]\nx y\n"
    )
    seen = Lens(masker).event(event)
    assert (seen.text, seen.masked) == (f"{H}\n{H}\n", 1)
    other = Input(code="", time="", uid="", ei=1, sid="s", path="/home/ada/credentials.py", text="id\n")
    assert Lens(masker).event(other) is other


def test_a_lifted_lens_shows_all(masker: Masker) -> None:
    lens = Lens(masker)
    assert lens.lift() and lens.lifted and lens.text("password=x") == "password=x"
    assert lens.lift() and not lens.lifted and lens.text("password=x") == f"password={H}"
    assert not Lens().lift()


def screen(text: str, columns: int = 40, lines: int = 12) -> Terminal:
    terminal = Terminal(columns, lines)
    terminal.feed(text.replace("\n", "\r\n").encode())
    return terminal


def test_a_secret_that_wraps_is_hidden_in_both_rows(masker: Masker) -> None:
    terminal = screen("$ prog --password=0123456789012345678901234567890 x", columns=30)
    shown = [row.text for row in rows(terminal, Lens(masker))]
    assert shown[0] == f"$ prog --password={MARK * 12}"
    assert shown[1] == f"{MARK * 19} x"


def test_wide_characters_keep_their_cells(masker: Masker) -> None:
    terminal = screen("日本 password=日本x 日本")
    row = rows(terminal, Lens(masker))[0]
    assert row.text == f"日本 password={MARK * 5} 日本"


def test_colours_stay_over_marks(masker: Masker) -> None:
    terminal = screen("token: \x1b[31mab\x1b[32mcd\x1b[m end")
    row = rows(terminal, Lens(masker))[0]
    assert [(run.text, run.style.fg) for run in row.runs] == [
        ("token: ", None),
        (MARK * 2, "red"),
        (MARK * 2, "green"),
        (" end", None),
    ]


def test_a_private_key_is_hidden_whole_and_nothing_after_it(masker: Masker) -> None:
    terminal = screen("\n".join(["$ cat key", *KEY, "$ id"]), columns=80)
    assert sorted(veil(terminal, masker)) == list(range(1, 8))


def test_a_private_key_whose_beginning_has_scrolled_away(masker: Masker) -> None:
    terminal = screen("\n".join([*KEY, "$ id"]), columns=80, lines=6)
    assert sorted(veil(terminal, masker)) == [0, 1, 2, 3, 4][: len(veil(terminal, masker))]
    assert 5 not in veil(terminal, masker)
    middle = screen("\n".join(KEY[:5]), columns=80, lines=4)
    assert sorted(veil(middle, masker)) == [0, 1, 2, 3]


def test_other_base64_stays(masker: Masker) -> None:
    terminal = screen("\n".join(["$ base64 x", *["QUJD" * 19] * 6, "$ "]), columns=80, lines=6)
    assert not veil(terminal, masker)


def test_own_patterns_and_rules_switched_off() -> None:
    text = "masking:\n  without: [jwt, assignment]\n  patterns:\n    pin: 'pin (?P<secret>[0-9]{4})'\n"
    lens = Lens(masker_of(from_text("esr.yaml", text).masking))
    assert lens.text(f"pin 1234 {JWT} password=x") == f"pin {H} {JWT} password=x"


def test_masking_can_be_switched_off() -> None:
    assert masker_of(from_text("esr.yaml", "masking:\n  enabled: false\n").masking) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("masking:\n  at: never\n", "line 2, key masking.at: is neither view nor capture"),
        ("masking:\n  patterns:\n    x: '(a+)+$'\n", "line 3, key masking.patterns.x: .*could take for ever"),
        ("masking:\n  patterns:\n    x: 'a*'\n", "line 3, key masking.patterns.x: matches the empty text"),
        ("masking:\n  patterns:\n    x: '('\n", "line 3, key masking.patterns.x: is no regular expression"),
        ("masking:\n  patterns:\n    'a b': 'x'\n", "is no name"),
        ("masking:\n  without: [jtw]\n", r"line 2, key masking.without\[0\]: .*known here: jwt"),
        ("masking:\n  hide: true\n", "line 2, key masking.hide: unknown key"),
    ],
)
def test_impossible_configurations_are_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_text("esr.yaml", text)


def test_the_configuration_knows_the_rules() -> None:
    assert (*(rule.name for rule in builtin()), PRIVATE_KEY, SECRET_FILE) == MASKS
