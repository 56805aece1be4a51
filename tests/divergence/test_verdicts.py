"""Verdicts on sessions made by hand: what is not shown by a line, and who told a program to run it."""

from __future__ import annotations

import os

import pytest

from tests.divergence.judged_session import SHELL, Judged

HOME = "/home/user"


def copied(session: Judged, program: str, to: str) -> None:
    """Somebody copies a program with cp."""
    pid = session.run(["cp", program, to]).pid
    session.opens(pid, program)
    session.opens(pid, to, os.O_WRONLY | os.O_CREAT, "create")


def test_all_of_a_job_belongs_to_its_line_though_the_stream_trails() -> None:
    session = Judged()
    session.line("# the job")
    session.line("./job.sh", late=20)
    script = session.run(["/bin/sh", "./job.sh"], path=f"{HOME}/job.sh")
    assert (script.verdict, script.evidence.typed) == ("shown", "./job.sh")
    session.reads(script.pid, "uname -s\n", f"{HOME}/job.sh")
    child = session.run("uname -s", by=script.pid)
    assert (child.verdict, child.evidence.typed) == ("scripted", "./job.sh")


# A shell under another name.


def test_a_copy_of_a_shell_is_a_shell() -> None:
    session = Judged()
    session.line("cp /bin/sh x; ./x job")
    copied(session, "/usr/bin/dash", f"{HOME}/x")
    shell = session.run("./x job", path=f"{HOME}/x")
    assert shell.verdict == "shown"
    assert session.run("uname -sm", by=shell.pid).verdict == "scripted"


def test_a_copy_keeps_what_it_is_when_it_is_renamed_and_copied_again() -> None:
    session = Judged()
    copied(session, "/usr/bin/bash", f"{HOME}/a")
    session.opens(SHELL, f"{HOME}/a", operation="rename", target=f"{HOME}/b")
    copied(session, f"{HOME}/b", f"{HOME}/c")
    assert session.likenesses.name(f"{HOME}/c") == "bash"


def test_a_shell_redirected_into_a_file_is_a_copy() -> None:
    session = Judged()
    pid = session.run("cat /bin/sh").pid
    session.opens(pid, f"{HOME}/x", os.O_WRONLY, "create")
    session.opens(pid, "/usr/bin/dash")
    assert session.likenesses.name(f"{HOME}/x") == "dash"


def test_copies_of_other_programs_are_no_shells_and_what_is_written_anew_is_no_copy() -> None:
    session = Judged()
    copied(session, "/usr/bin/ls", f"{HOME}/x")
    assert session.likenesses.name(f"{HOME}/x") == "x"
    copied(session, "/usr/bin/dash", f"{HOME}/x")
    session.opens(session.run("cc -o x x.c").pid, f"{HOME}/x", os.O_WRONLY, "create")
    assert session.likenesses.name(f"{HOME}/x") == "x"


@pytest.mark.parametrize("options", ["", "--argv0 ls ", "--inhibit-cache --library-path /tmp "])
def test_the_loader_executes_what_it_is_given(options: str) -> None:
    session = Judged()
    line = f"/lib64/ld-linux-x86-64.so.2 {options}/bin/dash job"
    session.line(line)
    shell = session.run(line, path="/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
    assert session.run("uname -sm", by=shell.pid).verdict == "scripted"


def test_a_program_that_nobody_knows_is_believed_to_run_what_its_file_says() -> None:
    session = Judged()
    session.line("./tool job")
    tool = session.run("./tool job", path=f"{HOME}/tool")
    assert session.run("git status", by=tool.pid).verdict == "implied"
    session.reads(tool.pid, "uname -sm\n", f"{HOME}/job")
    assert session.run("uname -sm", by=tool.pid).verdict == "scripted"


def test_a_process_whose_start_is_not_on_record_is_not_the_first_of_the_session() -> None:
    session = Judged(starts={f"{HOME}/.bashrc": "# nothing"})
    session.line("cd .")
    assert session.run("uname -sm", by=99_999).verdict == "unseen"


# Programs that were told.


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ('git -c core.pager="$(rev x)" log', ["git", "-c", "core.pager=uname -sm", "log"]),
        ('gdb -batch -ex "$(rev x)"', ["gdb", "-batch", "-ex", "shell uname -sm"]),
        ('sed "1e $(rev x)" f', ["sed", "1e uname -sm", "f"]),
        ('ssh -o "$(rev x)" host', ["ssh", "-o", "ProxyCommand=uname -sm", "host"]),
    ],
)
def test_an_argument_that_the_line_does_not_show_is_inline(line: str, argv: list[str]) -> None:
    session = Judged()
    session.line(line)
    program = session.run(argv)
    assert program.verdict == "shown"
    shell = session.run(["sh", "-c", "uname -sm"], by=program.pid)
    assert (shell.verdict, session.run("uname -sm", by=shell.pid).verdict) == ("inline", "inline")


def test_an_argument_that_the_line_shows_is_implied() -> None:
    session = Judged()
    line = 'git -c core.pager="uname -sm" log $(cat x)'
    session.line(line)
    git = session.run(["git", "-c", "core.pager=uname -sm", "log", "-1"])
    shell = session.run(["sh", "-c", "uname -sm"], by=git.pid)
    assert shell.verdict in ("implied", "shown")


def test_a_hidden_argument_within_the_text_of_a_shell_is_inline() -> None:
    session = Judged()
    session.line('zip -q x.zip f -T -TT "$(rev x)"')
    zipped = session.run(["zip", "-q", "x.zip", "f", "-T", "-TT", "uname -sm; true"])
    shell = session.run(["sh", "-c", "uname -sm; true 'x.zip'"], by=zipped.pid)
    assert (shell.verdict, session.run("uname -sm", by=shell.pid).verdict) == ("inline", "inline")


@pytest.mark.parametrize(("stdin", "verdict"), [("pipe", "piped"), ("file", "scripted"), ("tty", "implied")])
def test_ed_is_told_by_what_it_reads_and_its_s_means_silence(stdin: str, verdict: str) -> None:
    session = Judged()
    session.line("ed -s < x")
    ed = session.run("ed -s", stdin=stdin)
    assert session.run(["sh", "-c", "uname -sm"], by=ed.pid).verdict == verdict


def test_an_editor_may_be_told_to_run_what_it_reads() -> None:
    session = Judged()
    session.line("""vim -es -c "exe '!'.readfile('f')[0]" -c q""")
    vim = session.run(["vim", "-es", "-c", "exe '!'.readfile('f')[0]", "-c", "q"])
    assert session.run(["sh", "-c", "uname -sm"], by=vim.pid).verdict == "inline"
    session.opened(vim.pid, f"{HOME}/f")
    assert session.run(["sh", "-c", "uname -sm"], by=vim.pid).verdict == "scripted"


def test_what_a_shell_is_given_behind_its_text_is_no_command() -> None:
    session = Judged()
    session.line("""bash -c "$(rev x)" 'uname -sm'""")
    shell = session.run(["bash", "-c", "uname -sm; true", "uname -sm"])
    assert session.run("uname -sm", by=shell.pid).verdict == "inline"


@pytest.mark.parametrize(
    ("file", "stdin", "verdict"), [("/dev/stdin", "pipe", "piped"), ("-", "file", "scripted")]
)
def test_awk_may_read_its_program_from_standard_input(file: str, stdin: str, verdict: str) -> None:
    session = Judged()
    session.line(f"awk -f {file}")
    awk = session.run(f"awk -f {file}", stdin=stdin)
    assert session.run("uname -sm", by=awk.pid).verdict == verdict


def test_a_variable_that_the_line_does_not_show_is_inline() -> None:
    session = Judged()
    session.line('GIT_PAGER="$(rev x)" git log')
    git = session.run("git log")
    assert session.run(["sh", "-c", "uname -sm"], by=git.pid).verdict == "inline"


def test_sed_runs_nothing_by_itself() -> None:
    session = Judged()
    session.line("sed s/x/x/e list")
    sed = session.run("sed s/x/x/e list")
    assert session.run(["sh", "-c", "uname -sm"], by=sed.pid).verdict == "scripted"


def test_a_module_that_an_interpreter_was_made_to_read_is_a_script() -> None:
    session = Judged()
    session.line("PERL5OPT=-MM perl -e 1")
    perl = session.run("perl -e 1")
    session.reads(perl.pid, "system('uname', '-sm');", f"{HOME}/M.pm")
    assert session.run("uname -sm", by=perl.pid).verdict == "scripted"


# The shell itself.


def test_a_trap_is_no_command_of_its_line_and_is_told_once() -> None:
    session = Judged()
    session.line("trap '/bin/uname -sm' DEBUG")
    # In a crowd the next line may show up on the stream after the command that runs before it.
    first = session.run("/bin/uname -sm")
    session.line("cd .")
    second = session.run("/bin/uname -sm")
    assert (first.verdict, first.severity) == ("unseen", "medium")
    assert (second.verdict, second.severity) == ("unseen", "low")


def test_a_name_put_together_of_variables_is_inline() -> None:
    session = Judged()
    session.line("a=una; b=me")
    session.line("$a$b -sm")
    assert session.run("uname -sm").verdict == "inline"
    session.line("tool=uname")
    session.line("$tool -sm")
    assert session.run("uname -sm").verdict == "shown"


def test_an_alias_of_a_substitution_is_inline_even_in_single_quotes() -> None:
    session = Judged()
    session.line("alias ls='$(rev x)'")
    session.line("ls")
    assert session.run("uname -sm").verdict == "inline"


def test_what_a_name_was_given_last_counts() -> None:
    session = Judged()
    session.line(". ./rc")
    session.reads(SHELL, "zz() { uname -sm; }", f"{HOME}/rc")
    session.line("zz")
    assert session.run("uname -sm").verdict == "scripted"
    session.line('alias zz="$(rev x)"')
    session.line("zz")
    assert session.run("uname -sm").verdict == "inline"


def test_a_function_that_zsh_maps_from_a_file_is_scripted() -> None:
    session = Judged("/usr/bin/zsh")
    session.line("zz")
    session.opened(SHELL, f"{HOME}/zz")
    assert session.run("uname -sm").verdict == "scripted"


def test_an_alias_keeps_what_follows_it() -> None:
    session = Judged()
    session.line("alias e=eval")
    session.line('e "$(rev x)"')
    assert session.run("uname -sm").verdict == "inline"


def test_a_here_document_in_a_nameless_file_is_piped() -> None:
    session = Judged("/usr/bin/zsh")
    session.line('zsh <<< "$(rev x)"')
    inner = session.run("zsh", stdin="nameless")
    assert session.run("uname -sm", by=inner.pid).verdict == "piped"


@pytest.mark.parametrize(
    "options", ["-v", "-eu", "-eo pipefail", "+O extglob -x", "--norc -F", "-o posix --"]
)
def test_options_before_a_script(options: str) -> None:
    session = Judged()
    session.line(f"bash {options} job")
    shell = session.run(f"bash {options} job")
    assert session.run("uname -sm", by=shell.pid).verdict == "scripted"


def test_java_runs_sources() -> None:
    session = Judged()
    session.line("java -Xmx9m T.java")
    java = session.run("java -Xmx9m T.java")
    helper = session.run("jspawnhelper 1:2", by=java.pid)
    assert session.run("uname -sm", by=helper.pid).verdict == "scripted"


def test_words_between_other_output_are_implied_and_others_are_not() -> None:
    session = Judged()
    session.line("noise\nsh noise\nnoise\njob")
    session.reads(SHELL, "# nothing", f"{HOME}/.bashrc")
    assert session.run("sh job").verdict == "implied"
    assert session.run("uname -sm").verdict == "unseen"


def test_what_was_typed_into_an_interpreter_is_shown_below_its_shell() -> None:
    session = Judged()
    session.line("python3")
    python = session.run("python3")
    session.line("x = os.system('uname -sm')", nested="python", pid=python.pid)
    shell = session.run(["sh", "-c", "uname -sm"], by=python.pid)
    assert session.run("uname -sm", by=shell.pid).verdict == "shown"


def test_the_callback_of_mapfile_and_the_path_of_zsh_are_named() -> None:
    session = Judged()
    session.line("mapfile -C 'eval uname #' -c1 q < f")
    assert session.run("uname").verdict == "shown"
    session = Judged("/usr/bin/zsh")
    session.line("=uname -sm")
    assert session.run("/usr/bin/uname -sm").verdict == "shown"


@pytest.mark.parametrize(("stdout", "verdict"), [("pipe", "implied"), ("tty", "unseen")])
def test_completion_prints_nothing_itself(stdout: str, verdict: str) -> None:
    session = Judged()
    session.reads(SHELL, "_x() { :; }", "/usr/share/bash-completion/bash_completion")
    session.edits(True)
    assert session.run("uname -sm", stdout=stdout).verdict == verdict
