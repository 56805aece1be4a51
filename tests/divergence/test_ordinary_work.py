"""What ordinary work does by itself is explained, and what could hide behind the explanation is not."""

from __future__ import annotations

import pytest

from tests.divergence.judged_session import SHELL, Judged

RC = "/home/user/.bashrc"
ZSHRC = "/home/user/.zshrc"
PLAIN = {RC: "PS1='$ '\n"}


# Aliases and functions.


@pytest.mark.parametrize(
    ("rc", "line", "argv"),
    [
        ("alias ll='ls -l'", "ll | head", "ls -l"),
        ("alias ll='ls -l'\nalias lt='ll -t'", "lt x", "ls -l -t x"),
        ("alias g=git", "g add a; g add b", "git add b"),
        (
            "alias w1='ssh -o ControlPath=~/.ssh/%r web1'",
            "w1 date",
            "ssh -o ControlPath=/home/user/.ssh/%r web1 date",
        ),
        ("alias ll='ls -l'\nalias -g L='| head -2'", "ll L", "ls -l"),
        ("alias -s {md,txt}=cat", "a.txt", "cat a.txt"),
        ("alias sudo='sudo '\nalias ll='ls -l'", "sudo ll /", "sudo ls -l /"),
    ],
)
def test_aliases_of_start_up_files(rc: str, line: str, argv: str) -> None:
    session = Judged(starts={RC: rc})
    session.line(line)
    found = session.run(argv)
    assert (found.verdict, found.severity) == ("implied", "info"), found.reason
    assert session.run("id -un").verdict == "unseen"


def test_what_a_command_of_the_start_up_files_printed_counts_as_theirs() -> None:
    hook = '_hook() {\n  stat -c %Y "${paths[@]}"\n}\nPROMPT_COMMAND=_hook\n'
    session = Judged(starts={RC: 'eval "$(tool init)"\n', "pipe": hook})
    session.line("ls")
    found = session.run("stat -c %Y /a /b")
    assert (found.verdict, found.severity) == ("implied", "info")
    assert "a command of the start-up files" in found.reason


def test_what_a_pipe_said_later_is_no_start_up() -> None:
    session = Judged(starts=PLAIN)
    session.line('eval "$(tool init)"')
    session.reads(SHELL, "_hook() {\n  stat -c %Y x\n}\n", source="pipe")
    session.line("ls")
    assert session.run("stat -c %Y x").verdict in ("unseen", "inline")


def test_files_of_completion_do_not_push_out_the_users_own() -> None:
    completions = {f"/usr/share/bash-completion/completions/{n}": f"_f{n}() {{ :; }}" for n in range(99)}
    session = Judged(starts={RC: "alias ll='ls -l'", **completions})
    session.line("ll")
    assert session.run("ls -l").verdict == "implied"


def test_what_zsh_asks_git_for_its_prompt() -> None:
    session = Judged("/usr/bin/zsh", {ZSHRC: "autoload vcs_info\nprecmd() { vcs_info }\n"})
    session.line("ls")
    assert session.run("git rev-parse --show-toplevel").verdict == "implied"
    assert session.run("git -c core.pager=id log").verdict == "unseen"
    assert session.run("git status", path="/home/user/git").verdict == "unseen"
    other = Judged("/usr/bin/zsh", {ZSHRC: "PROMPT='%# '\n"})
    other.line("ls")
    assert other.run("git rev-parse --show-toplevel").verdict == "unseen"


# The history, and other ways to say it again.


def test_the_history_repeats_a_line() -> None:
    session = Judged(starts=PLAIN)
    session.line("cat notes")
    session.line("fc -s cat")
    assert session.run("cat notes").verdict == "implied"
    assert session.run("id -un").verdict == "unseen"


def test_keys_sent_to_a_pane() -> None:
    session = Judged(starts=PLAIN)
    session.line("tmux send-keys -t 0 'ls -l' Enter")
    assert session.run("ls -l").verdict == "implied"
    assert session.run("id -un").verdict == "unseen"


# Commands that others are given.


def test_find_executes_what_it_finds_by_its_name() -> None:
    session = Judged()
    session.line(r"find . -name job.sh -exec {} \;")
    find = session.run("find . -name job.sh -exec {} ;")
    assert session.run("./job.sh", by=find.pid, path="/home/user/job.sh").verdict == "shown"
    assert session.run("./other.sh", by=find.pid, path="/home/user/other.sh").verdict != "shown"


def test_braces_of_ones_own_choice() -> None:
    session = Judged()
    session.line("seq 2 | xargs -I% sh -c 'sleep 1; echo %'")
    xargs = session.run(["xargs", "-I%", "sh", "-c", "sleep 1; echo %"], stdin="pipe")
    shell = session.run(["sh", "-c", "sleep 1; echo 2"], by=xargs.pid)
    assert shell.verdict == "shown"
    assert session.run("sleep 1", by=shell.pid).verdict == "shown"
    assert session.run(["sh", "-c", "id -un"], by=xargs.pid).verdict == "piped"


def test_xargs_of_a_program_that_was_shown() -> None:
    session = Judged()
    session.line("git cleanup")
    git = session.run("git cleanup")
    shell = session.run(["sh", "-c", "git branch | xargs git branch -d"], by=git.pid)
    xargs = session.run("xargs git branch -d", by=shell.pid, stdin="pipe")
    assert session.run("git branch -d topic", by=xargs.pid).verdict == "implied"
    other = session.run("xargs sudo", by=shell.pid, stdin="pipe")
    sudo = session.run("sudo id -un", by=other.pid)
    assert session.run("id -un", by=sudo.pid).verdict == "piped"


def test_su_starts_the_shell_of_whom_a_variable_names() -> None:
    session = Judged()
    session.line("su - $USER")
    su = session.run("su - user")
    assert session.run("-bash", by=su.pid, path="/usr/bin/bash").verdict == "implied"
    session.line("su $USER -c date")
    su = session.run("su user -c date")
    shell = session.run("bash -c date", by=su.pid)
    assert shell.verdict in ("shown", "implied")
    assert session.run("date", by=shell.pid).verdict in ("shown", "implied")
    session.line("sudo $X")
    sudo = session.run("sudo id")
    assert session.run("id", by=sudo.pid).verdict == "inline"


def test_sftp_runs_ssh_and_what_its_batch_says() -> None:
    session = Judged()
    session.line("echo 'put x' | sftp -b - web1")
    sftp = session.run("sftp -b - web1", stdin="pipe")
    assert session.run("/usr/bin/ssh -s web1 sftp", by=sftp.pid).verdict == "implied"
    assert session.run("/bin/sh -c id", by=sftp.pid).verdict == "piped"


# Interpreters.


def test_sudo_gives_a_login_shell_of_another_user() -> None:
    session = Judged()
    session.line("sudo -i id")
    sudo = session.run("sudo -i id")
    shell = session.run(["-bash", "-c", "id"], by=sudo.pid, path="/usr/bin/bash")
    session.reads(shell.pid, 'eval "$(pyenv init -)"', "/root/.bashrc")
    assert session.run("pyenv init -", by=shell.pid).verdict == "implied"
    other = session.run(["bash", "-c", "id"], by=SHELL)
    session.reads(other.pid, "pyenv init -", "/tmp/x/.bashrc")
    assert session.run("pyenv init -", by=other.pid).verdict != "implied"


def test_a_shells_text_that_reads_a_file() -> None:
    session = Judged()
    session.line("bash -ec '. ./lib.sh; check date'")
    shell = session.run(["bash", "-ec", ". ./lib.sh; check date"])
    session.reads(shell.pid, 'check() { "$1" +%Y; }', "/home/user/lib.sh")
    found = session.run("date +%Y", by=shell.pid)
    assert (found.verdict, found.severity) == ("scripted", "low")


def test_a_command_in_pieces_that_the_typed_program_shows() -> None:
    session = Judged()
    text = '{ cmd = "date -d " $1 " +%a"; cmd | getline d }'
    session.line(f"awk '{text}' days")
    awk = session.run(["awk", text, "days"])
    shell = session.run(["sh", "-c", "date -d 2024-01-01 +%a"], by=awk.pid)
    assert shell.verdict == "implied"
    assert session.run("date -d 2024-01-01 +%a", by=shell.pid).verdict == "implied"
    assert session.run(["sh", "-c", "date -d x; id +%a"], by=awk.pid).verdict == "inline"
    assert session.run(["sh", "-c", "id -un"], by=awk.pid).verdict == "inline"


def test_a_here_string_is_a_shells_program() -> None:
    session = Judged()
    session.line("sudo bash <<< 'id -un'")
    shell = session.run("bash", stdin="pipe")
    found = session.run("id -un", by=shell.pid)
    assert (found.verdict, found.severity) == ("piped", "low")
    assert session.run("uname", by=shell.pid).severity == "medium"


def test_helpers_of_the_prompt_run_after_any_line() -> None:
    hook = '_hook() {\n  stat -c %Y "${paths[@]}"\n}\n'
    session = Judged(starts={**PLAIN, "pipe": hook})
    session.line("ls")
    assert session.run("stat -c %Y /").verdict == "implied"
    session.line("$CMD -r")
    assert session.run("stat -c %Y /").verdict == "implied"
    assert session.run("id -un").verdict == "inline"
    session.line("cut -c1 x | awk '$3 > 1 {print $1}'")
    assert session.run("id -un").verdict == "unseen"


def test_a_line_typed_into_python_runs_a_shell() -> None:
    session = Judged()
    session.line("python3")
    python = session.run("python3")
    session.line("os.system('date')", nested="python")
    shell = session.run(["sh", "-c", "date"], by=python.pid)
    assert shell.verdict == "shown"
    assert session.run("date", by=shell.pid).verdict == "shown"


def test_what_a_languages_own_modules_run() -> None:
    session = Judged()
    session.line("perl -de 0")
    perl = session.run("perl -de 0")
    shell = session.run(["sh", "-c", "infocmp -C"], by=perl.pid)
    found = session.run("infocmp -C", by=shell.pid)
    assert (found.verdict, found.severity) == ("scripted", "low")


def test_a_shell_told_to_be_interactive_reads_the_start_up_file_of_the_login() -> None:
    rc = 'eval "$(dircolors -b)"'
    session = Judged(starts={RC: rc})
    session.line("bash -ic date")
    shell = session.run("bash -ic date")
    session.reads(shell.pid, rc, RC)
    assert session.run("dircolors -b", by=shell.pid).verdict == "implied"
    session.line("HOME=/tmp/x bash -ic date")
    shell = session.run("bash -ic date")
    session.reads(shell.pid, "id -un\n", "/tmp/x/.bashrc")
    assert session.run("id -un", by=shell.pid).verdict != "implied"
