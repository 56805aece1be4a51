"""Sessions that are typed into real shells for test_typed_shells.py: keys, and the lines that must come of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PS1 = "esr$ "


@dataclass(frozen=True)
class Want:
    """A line to be found."""

    text: str
    nested: str = ""
    echo: bool = True
    complete: bool = True
    raw: str = ""


Step = tuple[str, str | Want | None] | tuple[str, str | Want | None, str | Want]
"""Keys, and the lines that they complete: none, one or two."""


@dataclass(frozen=True)
class Session:
    """A shell and what is typed into it."""

    argv: Sequence[str]
    steps: Sequence[Step]
    size: tuple[int, int] = (80, 24)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> str | None:
        """The program that is not installed here."""
        return None if shutil.which(self.argv[0]) else self.argv[0]

    @property
    def wanted(self) -> list[Want]:
        """All lines, in order."""
        lines = [line for _, *lines in self.steps for line in lines if line is not None]
        return [line if isinstance(line, Want) else Want(line) for line in lines]


def aborted(text: str) -> Want:
    return Want(text, complete=False)


def within(program: str, text: str) -> Want:
    return Want(text, nested=program)


HIDDEN = Want("", echo=False)
BASH = ("bash", "--norc", "-i")
ZSH = ("zsh", "-f", "-i")
LONG = "abcdefghi " * 12
UP, LEFT, RIGHT, HOME, END = "\x1b[A", "\x1b[D", "\x1b[C", "\x01", "\x05"
C, L, R, U, W = "\x03", "\x0c", "\x12", "\x15", "\x17"
COLOURED = "\\[\\e]0;\\w\\a\\e[32m\\]\\u\\[\\e[m\\]:\\w# "
FORGED = "printf '\\033[?2004hesr$ forged\\n\\033[?2004l\\r'; sleep 0.3"
SAVED = "\\[\\e[s\\e[60C\\t\\e[u\\]"

SESSIONS: dict[str, Session] = {
    "bash-editing": Session(
        BASH,
        (
            ("sdo\x7f\x7fudo -V | head -1\r", "sudo -V | head -1"),
            ("true one two three" + W, None),
            ("four\r", "true one two four"),
            ("true gone" + U, None),
            ("true kept\r", "true kept"),
            ("true a" + L, None),
            ("b\r", "true ab"),
            (L, None),
            (" true blank\r", " true blank"),
            ("true " + LONG + "end", None),
            (HOME + RIGHT * 5, None),
            ("IN ", None),
            ("\r", "true IN " + LONG + "end"),
            ("true " + "x" * 70 + "\r", "true " + "x" * 70),
            ("true " + "y" * 69 + "\r", "true " + "y" * 69),
            ("true in vain", None),
            (C, aborted("true in vain")),
            ("true 漢字 é ⭐ x\r", "true 漢字 é ⭐ x"),
            ("printf foo\r", "printf foo"),
            ("true after\r", "true after"),
            ("\r", ""),
            ("ls /bin/z\t\t", None),
            ("cat\r", "ls /bin/zcat"),
            ("\x04", None),
        ),
    ),
    "bash-lines": Session(
        BASH,
        (
            ("for i in 1 2; do\r", None),
            ("echo $i\r", None),
            ("done\r", "for i in 1 2; do\necho $i\ndone"),
            ("cat <<EOF\r", None),
            ("one\r", None),
            ("EOF\r", "cat <<EOF\none\nEOF"),
            ('echo "open\r', None),
            ('quote"\r', 'echo "open\nquote"'),
            ("true back\\\r", None),
            ("slash\r", "true back\\\nslash"),
            ("if true\rthen id -un\rfi\r", "if true\nthen id -un\nfi"),
            ("true |\r", None),
            ("cat\r", "true |\ncat"),
            ("f() {\r", None),
            ("true; }\r", "f() {\ntrue; }"),
            ("while false; do\r", None),
            ("true x", None),
            (C, aborted("while false; do\ntrue x")),
            ("case a in a) true;;\r", None),
            ("esac\r", "case a in a) true;;\nesac"),
            ("\x1b[200~cat <<X\nl1\nX\nid -un\x1b[201~", None),
            ("\r", "cat <<X\nl1\nX\nid -un"),
            ("true alpha\r", "true alpha"),
            ("true beta\r", "true beta"),
            (UP + UP + "\r", "true alpha"),
            (R + "bet", None),
            ("\r", "true beta"),
            (R + "alp" + RIGHT, None),
            (END + " x\r", "true alpha x"),
            (R + "zzz", None),
            (C, None),
            ("true !!:1\r", Want("true alpha", raw="true !!:1")),
            ("!!\r", Want("true alpha", raw="!!")),
            ("^alpha^gamma^\r", Want("true gamma", raw="^alpha^gamma^")),
            ("echo 'no !! here'\r", "echo 'no !! here'"),
            ("cat <<X\r", None),
            ("in\r", None),
            ("X\r", "cat <<X\nin\nX"),
            (UP, None),
            ("\r", "cat <<X\nin\nX"),
            ("exit\r", "exit"),
        ),
    ),
    "bash-prompts": Session(
        BASH,
        (
            (
                "PS1='\\[\\e]0;\\w\\a\\e[32m\\]\\u\\[\\e[m\\]:\\w# '\r",
                "PS1='\\[\\e]0;\\w\\a\\e[32m\\]\\u\\[\\e[m\\]:\\w# '",
            ),
            ("cd /\r", "cd /"),
            ("true a\r", "true a"),
            ("PS1='\\n[\\t]\\n\\$ '\r", "PS1='\\n[\\t]\\n\\$ '"),
            ("true b\r", "true b"),
            ("cd /tmp\r", "cd /tmp"),
            (f"PS1='{SAVED}\\W λ '\r", f"PS1='{SAVED}\\W λ '"),
            ("true c\r", "true c"),
            ("true " + "x" * 60 + "\r", "true " + "x" * 60),
            ("PS1='foo'\r", "PS1='foo'"),
            ("true d\r", "true d"),
            ("PROMPT_COMMAND='echo --status--'\r", "PROMPT_COMMAND='echo --status--'"),
            ("true e\r", "true e"),
            ("PS1=''\r", "PS1=''"),
            ("true f\r", "true f"),
            ("exit\r", "exit"),
        ),
    ),
    "bash-ahead": Session(
        BASH,
        (
            ("echo a1\recho a2\recho a3\r", "echo a1", "echo a2"),
            ("", "echo a3"),
            ("sleep 0.4\rls /\rpwd\r", "sleep 0.4", "ls /"),
            ("", "pwd"),
            ("", None),
            ("cat <<X\rone\rX\rtrue z\r", "cat <<X\none\nX", "true z"),
            ("for i in 1 2\rdo\recho $i\rdone\rid -un\r", "for i in 1 2\ndo\necho $i\ndone", "id -un"),
            ("stty -echo\r", "stty -echo"),
            ("id -un\r", HIDDEN),
            ("stty echo\r", HIDDEN),
            ("true seen\r", "true seen"),
            ("read x\r", "read x"),
            ("value\r", None),
            ("read -s x\r", "read -s x"),
            ("secret\r", None),
            ("read -e -p 'q> ' x\r", "read -e -p 'q> ' x"),
            ("answer\r", within("read", "answer")),
            ("cat\r", "cat"),
            ("typed to cat\r", None),
            ("\x04", None),
            ("exit\r", "exit"),
        ),
    ),
    "bash-unmarked": Session(
        BASH,
        (
            ("bind 'set enable-bracketed-paste off'\r", "bind 'set enable-bracketed-paste off'"),
            ("true a\r", "true a"),
            ("echo out\r", "echo out"),
            ("for i in 1 2; do\r", None),
            ("echo $i\r", None),
            ("done\r", "for i in 1 2; do\necho $i\ndone"),
            ("true " + LONG + "\r", ("true " + LONG).rstrip()),
            ("true x", None),
            (C, aborted("true x")),
            (R + "out", None),
            ("\r", "echo out"),
            ("echo b1\recho b2\r", "echo b1", "echo b2"),
            ("TERM=dumb bash --norc -i\r", "TERM=dumb bash --norc -i"),
            ("true a\r", "true a"),
            ("echo out\r", "echo out"),
            ("true bx\x7f\r", "true b"),
            ("exit\r", "exit"),
            ("bash --norc --noediting -i\r", "bash --norc --noediting -i"),
            ("true a\r", "true a"),
            ("echo out\r", "echo out"),
            ("true bx\x7f\r", "true b"),
            ("cat\r", "cat"),
            ("esr$ typed to cat\r", None),
            ("\x04", None),
            ("exit\r", "exit"),
            (
                "set -o vi; bind 'set show-mode-in-prompt on'\r",
                "set -o vi; bind 'set show-mode-in-prompt on'",
            ),
            ("true a\x1b", None),
            ("0cwfalse\r", "false a"),
            ("exit\r", "exit"),
        ),
    ),
    "bash-narrow": Session(
        BASH,
        (
            ("true abcdefghij klmnop qrst\r", "true abcdefghij klmnop qrst"),
            ("true aaaaaaaaaa bbbbbbbbbbb ccccccccccc dddddddddd", None),
            ("\x7f" * 3, None),
            (HOME + RIGHT * 4 + " x" + END + "y\r", "true x aaaaaaaaaa bbbbbbbbbbb ccccccccccc dddddddy"),
            ("true " + "z" * 25 + U, None),
            ("exit\r", "exit"),
        ),
        size=(20, 6),
    ),
    "dash": Session(
        ("dash", "-i"),
        (
            ("true hi\r", "true hi"),
            ("sdo\x7f\x7fudo -V | head -1\r", "sudo -V | head -1"),
            ("cat <<EOF\r", None),
            ("one\r", None),
            ("EOF\r", "cat <<EOF\none\nEOF"),
            ("for i in 1 2; do\r", None),
            ("echo $i\r", None),
            ("done\r", "for i in 1 2; do\necho $i\ndone"),
            ("true gone", None),
            (C, aborted("true gone")),
            ("printf 'esr$ fake\\nesr$ '\r", "printf 'esr$ fake\\nesr$ '"),
            ("stty -echo\r", "stty -echo"),
            ("id -un\r", HIDDEN),
            ("stty echo\r", HIDDEN),
            ("read x\r", "read x"),
            ("val\r", None),
            ("exit\r", "exit"),
        ),
    ),
    "ash": Session(
        ("busybox", "sh", "-i"),
        (
            ("true hi\r", "true hi"),
            ("true one" + W + "two\r", "true two"),
            ("for i in 1\r", None),
            ("do echo $i; done\r", "for i in 1\ndo echo $i; done"),
            ("true " + LONG + "\r", ("true " + LONG).rstrip()),
            (UP + "\r", ("true " + LONG).rstrip()),
            ("stty -echo\r", "stty -echo"),
            ("true hid\r", HIDDEN),
            ("stty echo\r", HIDDEN),
            ("exit\r", "exit"),
        ),
    ),
    "zsh": Session(
        ZSH,
        (
            ("true hi\r", "true hi"),
            ("true one two three" + W, None),
            ("four\r", "true one two four"),
            ("true a" + L, None),
            ("b\r", "true ab"),
            ("true " + LONG + "end", None),
            (HOME + RIGHT * 5, None),
            ("IN ", None),
            ("\r", "true IN " + LONG + "end"),
            ("cat <<EOF\r", None),
            ("one\r", None),
            ("EOF\r", "cat <<EOF\none\nEOF"),
            ('echo "q\r', None),
            ('r"\r', 'echo "q\nr"'),
            (UP, None),
            ("\r", 'echo "q\nr"'),
            ("true z\r", "true z"),
            ("!!\r", Want("true z", raw="!!")),
            (R + "fou", None),
            ("\r", "true one two four"),
            ("\x1b[200~echo p1\necho p2\x1b[201~", None),
            ("\r", "echo p1\necho p2"),
            ("ls /etc/passw\t\r", "ls /etc/passwd"),
            ("RPROMPT='%F{red}[%*]%f'\r", "RPROMPT='%F{red}[%*]%f'"),
            ("true a\r", "true a"),
            ("true " + "x" * 55 + "\r", "true " + "x" * 55),
            ("true " + "x" * 90 + "\r", "true " + "x" * 90),
            ("PROMPT=$'\\n%~ %*\\n%# '\r", "PROMPT=$'\\n%~ %*\\n%# '"),
            ("cd /\r", "cd /"),
            ("true b\r", "true b"),
            ("echo c1\recho c2\r", "echo c1", "echo c2"),
            ("exit\r", "exit"),
        ),
    ),
    "nested": Session(
        BASH,
        (
            ("sh\r", "sh"),
            ("true in sh\r", "true in sh"),
            ("exit\r", "exit"),
            ("bash --norc\r", "bash --norc"),
            ("true inner\r", "true inner"),
            ("exit\r", "exit"),
            ("/usr/bin/python3 -q\r", "/usr/bin/python3 -q"),
            ("x=1\r", within("python", "x=1")),
            ("exit()\r", within("python", "exit()")),
            ("script -q /dev/null\r", "script -q /dev/null"),
            ("true in script\r", "true in script"),
            ("exit\r", "exit"),
            ("true out\r", "true out"),
            (FORGED + "\r", FORGED),
            ("", None),
            ("vim -u NONE -i NONE no-file\r", "vim -u NONE -i NONE no-file"),
            ("", None),
            (":!id -un\r", within("vim", ":!id -un")),
            ("\r", None),
            (":q!\r", None),
            ("true after\r", "true after"),
            ("less /etc/passwd\r", "less /etc/passwd"),
            ("", None),
            ("/root\r", None),
            ("q", None),
            ("true last\r", "true last"),
            ("exit\r", "exit"),
        ),
    ),
    "tmux": Session(
        BASH,
        (
            (
                "tmux -L esr-typed -f /dev/null new bash --norc\r",
                "tmux -L esr-typed -f /dev/null new bash --norc",
            ),
            ("echo inside\r", within("tmux", "echo inside")),
            ("true one", None),
            (" two" + W + "three\r", within("tmux", "true one three")),
            ("true " + LONG + "end\r", within("tmux", "true " + LONG + "end")),
            ("\x04", None),
            ("true out\r", "true out"),
            ("exit\r", "exit"),
        ),
    ),
}
