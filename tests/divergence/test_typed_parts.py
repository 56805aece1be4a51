"""The small decisions behind typed lines: what is unfinished, what is a prompt, what a history reference becomes."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.divergence.prompts import Prompts, continues, promptlike
from esr_tui.divergence.readers import plain_name
from esr_tui.divergence.unfinished import Unfinished, expansion, unfinished

UNFINISHED = [
    "for i in a; {",
    "if [[ -e x ]]; then",
    "if { true; }; then",
    "while { true; }; do",
    "echo 'open",
    'echo "open',
    'echo "a $(date',
    "echo `date",
    "cat <<EOF",
    "cat <<-'EOF'",
    "cat <<EOF\nline",
    "cat <<A <<B\nx\nA",
    "true |",
    "true &&",
    "true ||",
    "true \\",
    "for i in 1 2",
    "for i in 1; do id",
    "while true; do",
    "until false",
    "if true; then id",
    "if id; then case x in x) true;;",
    "case x in",
    "f() {",
    "f() { id",
    "{ id",
    "( id",
    "echo $(",
    "echo ${x",
    "[[ -f x &&",
]
FINISHED = [
    "echo hi",
    "echo 'a' \"b\" \\'",
    'echo "it\'s"',
    "echo it\\'s",
    "cat <<EOF\nline\nEOF",
    "cat <<-EOF\n\tline\n\tEOF",
    "cat <<<word",
    "cat <<'A B'\nx\nA B",
    "for i in 1; do id; done",
    "while true; do id; done",
    "if id; then id; elif id; then id; else id; fi",
    "case x in a|b) id;; *) true;; esac",
    "case x in (a) id;; esac",
    "f() { id; }",
    "( id )",
    "{ id; }",
    'echo "$(id "$(true)")"',
    "echo `id`",
    "echo ${x:-y} $((1 + 2)) $(( (1+2)*3 ))",
    "[[ -f x && -d y ]]",
    "id # a ' comment",
    "id & true; id",
    "echo do done if fi case",
    "echo $'it\\'s'",
    "x=1 id",
    "diff <(id) <(true)",
    "time id",
    "! id",
    "echo a#b",
    "echo {a,b}",
    "find . -exec id {} \\;",
    "echo \\\\",
    "",
    "while { true; }; do date; done",
]


ZSH = ["for f (*.txt) wc -l $f", "for f in *.md; { cat $f }", "if [[ -e x ]] { date }"]


@pytest.mark.parametrize("text", UNFINISHED)
def test_a_shell_would_ask_for_more(text: str) -> None:
    assert unfinished(text)


@pytest.mark.parametrize("text", [*FINISHED, *ZSH])
def test_a_shell_would_run_it(text: str) -> None:
    assert not unfinished(text)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_agrees() -> None:
    """`bash -n` complains of an unexpected end, or of a here-document without one, exactly where we say so."""

    def asks(text: str) -> bool:
        run = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        return bool(run.stderr) or text.endswith("\\")

    assert [text for text in UNFINISHED if not asks(text)] == []
    assert [text for text in FINISHED if text != "echo \\\\" and asks(text)] == []


@pytest.mark.parametrize("text", [*UNFINISHED, *FINISHED, "cat <<A; echo 'x\ny' \"\nA\n$(cat <<B\nB\n)\""])
def test_line_by_line_is_the_same(text: str) -> None:
    """What was read is not read again: a long here-document costs what its lines cost."""
    growing = Unfinished()
    for n, line in enumerate(text.split("\n")):
        more = growing.read(f"\n{line}" if n else line)
    assert more == unfinished(text)


@given(st.text(alphabet="echo ifdn'\"`$(){}[]<>|&;\\#!\nEOF", max_size=60))
def test_any_text_is_judged(text: str) -> None:
    growing = Unfinished()
    for n, line in enumerate(text.split("\n")):
        more = growing.read(f"\n{line}" if n else line)
    assert more == unfinished(text)
    expansion(text)


@pytest.mark.parametrize(
    ("prompt", "like"),
    [
        ("$ ", True),
        ("user@host:~/src$ ", True),
        ("[root@host /]# ", True),
        ("└─❯ ", True),
        ("(venv) host% ", True),
        ("mysql> ", True),
        ("Password: ", False),
        ("100%|###", False),
        ("some text", False),
        ("", False),
    ],
)
def test_what_prompts_look_like(prompt: str, like: bool) -> None:
    assert promptlike(prompt) == like


@pytest.mark.parametrize(
    ("known", "text", "waited", "prompt"),
    [
        ([], "u@h:~$ ", True, "u@h:~$ "),
        ([], "u@h:~$ ls -l", False, "u@h:~$ "),
        ([], "plain", True, "plain"),
        ([], "plain", False, ""),
        (["u@h:~$ "], "u@h:~$ ls", True, "u@h:~$ "),
        (["u@h:~$ "], "u@h:/tmp$ ls # x", False, "u@h:/tmp$ "),
        (["plain"], "plainls", False, "plain"),
        (["# "], "# # # id", False, "# # # "),
    ],
)
def test_where_a_prompt_ends(known: list[str], text: str, waited: bool, prompt: str) -> None:
    prompts = Prompts()
    for each in known:
        prompts.learn(each)
    assert text[: prompts.length(text, waited)] == prompt


def test_prompts_are_forgotten_in_time() -> None:
    prompts = Prompts()
    for n in range(1000):
        prompts.learn(f"{n}$ ")
    assert "0$ " not in prompts
    assert len(list(prompts.newest())) < 100


@pytest.mark.parametrize(
    ("prompt", "first", "more"),
    [
        ("> ", "$ ", True),
        ("for> ", "host% ", True),
        ("cmdand pipe> ", "host% ", True),
        ("... ", ">>> ", True),
        ("> ", "> ", True),
        ("$ ", "$ ", False),
        ("/tmp$ ", "/$ ", False),
        ("∙ ", "$ ", True),
    ],
)
def test_what_asks_for_more(prompt: str, first: str, more: bool) -> None:
    assert continues(prompt, first) == more


@pytest.mark.parametrize(
    ("text", "expanded", "fits"),
    [
        ("sudo !!", "sudo id", True),
        ("!!:gs/a/b", "echo b", True),
        ("echo !$ x", "echo last x", True),
        ("^ab^cd", "echo cd", True),
        ("echo !-2 y", "something else", False),
        ("!uname:s/a=1/all x/ -s", "uname --all x -s", True),
        ("fc -s una", "uname -sm", True),
        ("r", "uname -sm", True),
    ],
)
def test_what_a_reference_may_become(text: str, expanded: str, fits: bool) -> None:
    pattern = expansion(text)
    assert pattern
    assert pattern.fits(expanded) == fits


@pytest.mark.parametrize(
    "text", ["echo hi!", "echo '!!'", "echo \\!!", "[ a != b ]", "! true", "echo $!", "rm x", "fc -l"]
)
def test_no_reference(text: str) -> None:
    pattern = expansion(text)
    assert pattern is None


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("python3.11", "python"),
        ("tmux: client", "tmux"),
        ("-bash", "bash"),
        ("/usr/bin/vim.basic", "vim.basic"),
        ("7z", "7z"),
    ],
)
def test_names_of_programs(program: str, name: str) -> None:
    assert plain_name(program) == name
