"""Typed lines out of small streams made by hand: marks, modes, echo, and what goes wrong with them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.divergence.typed import TypedLine, TypedLines
from esr_tui.model.events import Command, Descriptor, Event, Exit, Fork, Resize, SessionStart, TerminalMode
from esr_tui.recording.slices import Output

ON, OFF = b"\x1b[?2004h", b"\x1b[?2004l"
SHELL = 100
COMMON = {"code": "", "time": "", "uid": "", "ei": 0, "sid": ""}


def at(ms: float) -> dict[str, int]:
    return {"ms": int(ms), "ktime": int(ms * 1_000_000) + 1}


def out(ms: float, data: bytes | str) -> Output:
    return Output(data=data.encode() if isinstance(data, str) else data, offset=0, **at(ms))


def raw(ms: float, pid: int = SHELL, program: str = "bash", tty: str = "pts/1") -> TerminalMode:
    """A line editor takes over."""
    return TerminalMode(**COMMON, **at(ms), pid=pid, program=program, tty=tty, echo=False, canonical=False)


def cooked(
    ms: float, pid: int = SHELL, program: str = "bash", tty: str = "pts/1", *, echo: bool = True
) -> TerminalMode:
    """A program gives the terminal back."""
    return TerminalMode(**COMMON, **at(ms), pid=pid, program=program, tty=tty, echo=echo, canonical=True)


def ran(ms: float, *argv: str, pid: int = SHELL, ppid: int = 1, path: str = "") -> Command:
    """A program was executed on the terminal."""
    fds = [Descriptor(fd=fd, kind="tty", path="pts/1") for fd in range(3)]
    where = path or f"/bin/{argv[0]}"
    return Command(
        **COMMON,
        **at(ms),
        pid=pid,
        ppid=ppid,
        path=where,
        exe=where,
        argv=list(argv),
        fds=fds,
        program=argv[0],
    )


def typed(*items: Event | Output) -> list[TypedLine]:
    """The lines of a session."""
    found = TypedLines()
    for item in items:
        if isinstance(item, Output):
            found.feed(item)
        else:
            found.event(item)
    return found.take()


def texts(*items: Event | Output) -> list[str]:
    return [line.text for line in typed(*items)]


def bash_line(ms: float, keys: str, output: str = "", prompt: str = "$ ") -> list[Event | Output]:
    """One line of bash, from its prompt to what it printed."""
    return [
        raw(ms),
        out(ms + 0.2, ON + prompt.encode()),
        out(ms + 100, keys),
        out(ms + 200, b"\r\n" + OFF + b"\r"),
        cooked(ms + 199.9),
        out(ms + 201, output.replace("\n", "\r\n")),
    ]


class TestMarks:
    def test_one_line(self) -> None:
        (line,) = typed(*bash_line(10, "id -un", "root\n"))
        assert (line.text, line.prompt, line.pid, line.nested) == ("id -un", "$ ", SHELL, "")
        assert (line.echo, line.complete, line.rows, line.frame_ms) == (True, True, (0, 0), 110)
        assert line.start_ms == 10
        assert line.end_ms in (209, 210)

    def test_without_any_event(self) -> None:
        assert texts(out(1, ON + b"$ "), out(50, "ls"), out(90, b"\r\n" + OFF + b"\r")) == ["ls"]

    def test_zsh_marks_after_its_prompt_and_leaves_before_the_line_feed(self) -> None:
        lines = texts(
            raw(1, program="zsh"),
            out(1.1, b"\r\x1b[Jhost% \x1b[K" + ON),
            out(50, b"l\x08ls"),
            out(90, OFF + b"\r\r\n"),
            out(91, "a b\r\n"),
        )
        assert lines == ["ls"]

    def test_zsh_leaves_from_the_middle_of_its_line(self) -> None:
        lines = texts(
            raw(1, program="zsh"),
            out(1.1, b"% \x1b[K" + ON),
            out(50, b"echo a\r\r\necho b\x1b[A\x08\x08"),
            out(90, OFF + b"\x1b[1B\r\r\n"),
        )
        assert lines == ["echo a\necho b"]

    def test_typed_ahead_in_one_read(self) -> None:
        first = bash_line(0, "true")
        chunk = ON + b"$ ls /\r\n" + OFF + b"\rbin\r\n" + ON + b"$ pwd\r\n" + OFF + b"\r/\r\n" + ON + b"$ "
        later: list[Event | Output] = [raw(300), cooked(300.1), raw(300.2), cooked(300.3), raw(300.4)]
        assert texts(*first, *later, out(301, chunk)) == ["true", "ls /", "pwd"]

    @pytest.mark.parametrize("output", ["c1", "% c1", "/ 9:59\r\n% c1"])
    def test_output_between_two_turns_is_no_line(self, output: str) -> None:
        """The editor took over and gave back before the stream had shown what the line before printed."""
        prompt = b"\r\n/ 9:59\r\n% \x1b[K" + ON
        lines = typed(
            raw(1, program="zsh"),
            out(1.1, prompt),
            out(50, "echo c1"),
            cooked(59, program="zsh"),
            out(60, OFF + b"\r\r\n"),
            raw(70, program="zsh"),
            out(71, f"{output}\r\n"),
            cooked(72, program="zsh"),
            out(73, prompt + b"echo c2" + OFF + b"\r\r\nc2\r\n"),
        )
        assert [line.text for line in lines] == ["echo c1", "echo c2"]

    def test_control_c_is_not_complete(self) -> None:
        lines = typed(
            raw(1),
            out(1, ON + b"$ "),
            out(50, "sleep 9"),
            out(90, b"^C" + OFF + b"\r"),
            out(91, ON + OFF + b"\r\r\n" + ON + b"$ "),
        )
        assert [(line.text, line.complete) for line in lines] == [("sleep 9", False)]

    def test_end_of_input_is_no_line(self) -> None:
        assert not texts(raw(1), out(1, ON + b"$ "), cooked(50), out(50, OFF + b"\rexit\r\n"))

    def test_the_first_line_of_a_session_that_was_joined_late(self) -> None:
        lines = typed(
            out(5, "$ cat file"), cooked(10), out(10, b"\r\n" + OFF + b"\r"), raw(20), out(20, ON + b"$ ")
        )
        assert [line.text for line in lines] == ["cat file"]

    def test_a_mark_that_a_program_prints_begins_no_line(self) -> None:
        forged = out(1000, ON + b"$ curl good\r\n" + OFF + b"\r")
        assert texts(*bash_line(0, "./script"), forged) == ["./script"]

    def test_osc_133_alone(self) -> None:
        lines = texts(
            out(1, b"\x1b]133;A\x07[a > b] \x1b]133;B\x07"),
            out(50, "ls > f"),
            out(90, b"\r\n\x1b]133;C\x07"),
            out(95, b"x\r\n\x1b]133;D\x07"),
        )
        assert lines == ["ls > f"]

    def test_osc_133_inside_marks_tells_the_end_of_a_prompt_that_looks_like_none(self) -> None:
        lines = typed(
            raw(1),
            out(1, ON + b"\x1b]133;A\x07words $ words\x1b]133;B\x07"),
            out(2, "id"),
            out(3, b"\r\n" + OFF + b"\r"),
        )
        assert [(line.prompt, line.text) for line in lines] == [("words $ words", "id")]

    def test_full_screen_programs_want_pastes_bracketed_for_other_reasons(self) -> None:
        nano = [
            raw(300, 7, "nano"),
            out(300, ON + b"\x1b[?1049hfile $ text\r\n\r\n"),
            out(400, OFF + b"\x1b[?1049l"),
        ]
        assert texts(*bash_line(0, "nano"), *nano, cooked(400, 7, "nano"), *bash_line(500, "ls")) == [
            "nano",
            "ls",
        ]


class TestModes:
    def test_a_line(self) -> None:
        lines = typed(
            raw(1),
            out(1.1, "$ "),
            out(50, "ls"),
            cooked(90),
            out(90.1, "\r\na b\r\n"),
            raw(92),
            out(92.1, "$ "),
        )
        assert [(line.text, line.end_ms) for line in lines] == [("ls", 90)]

    def test_the_line_feed_may_come_before_the_mode(self) -> None:
        assert texts(
            raw(1), out(1.1, "$ "), out(50, "ls"), out(89.9, "\r\n"), cooked(90), out(91, "a\r\n")
        ) == ["ls"]

    def test_the_stream_may_trail_by_several_lines(self) -> None:
        modes = [cooked(50), raw(50.1), cooked(50.2), raw(50.3), cooked(50.4), raw(50.5)]
        chunk = out(60, "b1\r\nout\r\n$ b2\r\n$ b3\r\n$ ")
        assert texts(raw(1), out(1.1, "$ "), *modes, chunk) == ["b1", "b2", "b3"]

    def test_output_between_two_turns_is_no_line(self) -> None:
        """The editor took over and gave back before the stream had shown what the line before printed."""
        lines = texts(
            raw(1),
            out(1.1, "$ "),
            out(50, "echo b1"),
            out(60, "\r\n"),
            cooked(60.1),
            raw(70),
            out(70.5, "b1\r\n"),
            cooked(71),
            out(72, "$ echo b2\r\nb2\r\n"),
        )
        assert lines == ["echo b1", "echo b2"]

    def test_several_rows_are_redrawn_with_line_feeds(self) -> None:
        lines = texts(
            raw(1),
            out(1.1, "$ "),
            out(50, "echo a\r\necho b"),
            out(89, "\r\n"),
            cooked(90),
            out(91, "a\r\nb\r\n"),
        )
        assert lines == ["echo a\necho b"]

    def test_nested_readers_are_named(self) -> None:
        python = [
            raw(300, 7, "python3.11"),
            out(300.1, ">>> "),
            out(350, "x=1"),
            cooked(400, 7, "python3.11"),
        ]
        lines = typed(*bash_line(0, "python3"), *python, out(400.1, "\r\n"))
        assert [(line.text, line.nested, line.pid) for line in lines] == [
            ("python3", "", SHELL),
            ("x=1", "python", 7),
        ]

    def test_a_remote_shell_is_ssh(self) -> None:
        ssh = [raw(300, 7, "ssh"), out(310, ON + b"far$ "), out(350, "id"), out(400, b"\r\n" + OFF + b"\r")]
        lines = typed(*bash_line(0, "ssh far"), *ssh)
        assert [(line.text, line.nested) for line in lines] == [("ssh far", ""), ("id", "ssh")]

    def test_a_shell_behind_a_relay_is_a_shell(self) -> None:
        sudo = [
            raw(300, 7, "sudo"),
            raw(310, 8, "bash", tty="pts/2"),
            out(311, ON + b"# "),
            out(350, "id"),
            cooked(399, 8, "bash", tty="pts/2"),
            out(400, b"\r\n" + OFF + b"\r"),
        ]
        lines = typed(*bash_line(0, "sudo -s"), *sudo)
        assert [(line.text, line.nested, line.pid) for line in lines] == [
            ("sudo -s", "", SHELL),
            ("id", "", 8),
        ]

    def test_a_password_is_no_line(self) -> None:
        asked = [
            cooked(300, 7, "sudo", echo=False),
            out(300.1, "Password: "),
            out(900, "\r\n"),
            cooked(901, 7, "sudo"),
        ]
        assert texts(*bash_line(0, "sudo id"), *asked) == ["sudo id"]

    def test_pagers_are_no_line_readers(self) -> None:
        less = [raw(300, 7, "less"), out(301, "text $ \r\nmore $ x\r\n"), cooked(400, 7, "less")]
        assert texts(*bash_line(0, "less f"), *less) == ["less f"]

    def test_a_multiplexer_draws_the_end_of_a_line_after_it_was_accepted(self) -> None:
        (line,) = typed(
            raw(1),
            raw(2, pid=200, program="tmux: client"),
            raw(10, pid=300, tty="pts/2"),
            out(11, "\x1b[?1049h\x1b[H$ "),
            out(100, "true one"),
            cooked(200, pid=300, tty="pts/2"),
            out(200.5, "\x1b[?25h"),
            out(202, " two"),
            out(205, "\b\b\bthree"),
            out(206, "\r\n"),
            raw(207, pid=300, tty="pts/2"),
            out(208, "$ "),
            raw(300, pid=300, tty="pts/2"),
        )
        assert (line.text, line.nested, line.end_ms) == ("true one three", "tmux", 200)


class TestEcho:
    def test_a_shell_without_an_editor(self) -> None:
        lines = typed(ran(0, "dash"), out(5, "# "), out(100, "id"), out(150, "\r\n"), out(151, "root\r\n# "))
        assert [(line.text, line.pid, line.prompt) for line in lines] == [("id", SHELL, "# ")]

    def test_rows_of_output_that_look_like_prompts_are_none(self) -> None:
        lines = texts(
            ran(0, "dash"),
            out(5, "# "),
            out(100, "cat README"),
            out(150, "\r\n"),
            out(151, "# Title\r\n# ls\r\n"),
            out(160, "# "),
            out(300, "ls"),
            out(350, "\r\n"),
        )
        assert lines == ["cat README", "ls"]

    def test_a_child_that_asks_is_not_the_shell(self) -> None:
        child = Fork(**COMMON, **at(151), pid=7, ppid=SHELL)
        end = Exit(**COMMON, **at(400), pid=7, ppid=SHELL)
        lines = texts(
            ran(0, "dash"),
            out(5, "sh$ "),
            out(100, "./ask\r\n"),
            child,
            out(160, "name> "),
            out(300, "me\r\n"),
            end,
            out(401, "sh$ "),
            out(500, "ls\r\n"),
        )
        assert lines == ["./ask", "ls"]

    def test_echo_off_hides_lines_but_not_that_there_were_any(self) -> None:
        lines = typed(
            ran(0, "dash"),
            out(5, "# "),
            out(100, "stty -echo\r\n"),
            cooked(110, 7, "stty", echo=False),
            out(111, "# "),
            ran(300, "id", pid=8, ppid=SHELL),
            out(310, "root\r\n# "),
            out(500, "# "),
            out(600, "# "),
            out(700, ""),
        )
        assert [(line.text, line.echo) for line in lines] == [
            ("stty -echo", True),
            ("", False),
            ("", False),
            ("", False),
        ]

    def test_bash_with_echo_off(self) -> None:
        lines = typed(
            *bash_line(0, "stty -echo"),
            cooked(210, 7, "stty", echo=False),
            raw(220),
            out(220.1, ON + b"$ "),
            cooked(300, echo=False),
            out(300.1, OFF + b"\r\r\n"),
        )
        assert [(line.text, line.echo) for line in lines] == [("stty -echo", True), ("", False)]

    def test_the_first_line_that_shows_again_is_found_in_the_row_of_many_prompts(self) -> None:
        """bash without bracketed paste: each line that was not echoed leaves its prompt, and no line feed."""
        lines = typed(
            ran(0, "bash", pid=SHELL),
            raw(5),
            out(6, "$ "),
            cooked(100),
            out(101, "stty -echo\r\n"),
            cooked(102, 7, "stty", echo=False),
            *(
                each
                for start in (110, 500, 900)
                for each in (raw(start), out(start + 1, "$ "), cooked(start + 300, echo=False))
            ),
            cooked(1210, 8, "stty"),
            raw(1215),
            out(1216, "$ "),
            cooked(1800),
            out(1801, "id\r\n"),
            out(1810, "me\r\n"),
            raw(1815),
            out(1816, "$ "),
            cooked(2200),
            out(2201, "uname\r\n"),
        )
        assert [line.text for line in lines if line.text] == ["stty -echo", "id", "uname"]


class TestScreen:
    @pytest.mark.parametrize("columns", [20, 26, 27, 80])
    def test_wrapped_rows_are_joined(self, columns: int) -> None:
        start = SessionStart(**COMMON, size=f"{columns}:5", tty="pts/1")
        text = "echo aaaaaaaaaa bbbbbbbb" + " c" * 30
        assert texts(start, *bash_line(0, text, "x\n" * 9), *bash_line(400, text)) == [text, text]

    def test_a_right_prompt_is_left_out_even_when_it_is_a_clock(self) -> None:
        prompt = b"\x1b[60C[12:00:00]\r$ "
        redrawn = b"\r\x1b[60C[12:00:07]\r$ ls"
        lines = texts(
            raw(1), out(1.1, ON + prompt), out(50, "ls"), out(60, redrawn), out(90, b"\r\n" + OFF + b"\r")
        )
        assert lines == ["ls"]

    def test_a_right_prompt_that_the_line_grew_into_is_part_of_nothing(self) -> None:
        lines = texts(
            raw(1),
            out(1.1, ON + b"\x1b[70C[12:00]\r$ "),
            out(50, b"true " + b"x" * 63 + b"\x1b[K" + b"y" * 5),
            out(90, b"\r\n" + OFF + b"\r"),
        )
        assert lines == ["true " + "x" * 63 + "y" * 5]

    def test_output_without_a_line_feed_before_the_prompt(self) -> None:
        lines = typed(*bash_line(0, "printf foo", "foo"), *bash_line(400, "ls"))
        assert [(line.text, line.prompt) for line in lines] == [("printf foo", "$ "), ("ls", "$ ")]

    def test_a_listing_between(self) -> None:
        keys = "ls /b\x07\r\nbin/  boot/\r\n$ ls /bo"
        assert texts(*bash_line(0, keys)) == ["ls /bo"]

    def test_the_screen_is_cleared_meanwhile(self) -> None:
        lines = [*bash_line(0, "seq 9", "1\n" * 30), *bash_line(400, "true a\x1b[H\x1b[2J$ true ab")]
        assert texts(*lines) == ["seq 9", "true ab"]

    def test_a_history_search_leaves_the_line_alone(self) -> None:
        search = "\r(reverse-i-search)`x': exit\x1b[K\r\x1b[K$ exit"
        assert texts(*bash_line(0, search)) == ["exit"]

    def test_the_window_changes_its_size(self) -> None:
        resize = Resize(**COMMON, **at(300), size="40:10")
        assert (
            texts(*bash_line(0, "true"), resize, *bash_line(400, "true " + "x" * 60))[1] == "true " + "x" * 60
        )

    def test_much_output_leaves_no_trace(self) -> None:
        noise = "".join(f"\x1b[3{n % 8}mline {n} $ # % >\x1b[0m\n" for n in range(40_000))
        lines = typed(*bash_line(0, "cat log", noise), *bash_line(400, "true"))
        assert [(line.text, line.rows) for line in lines] == [("cat log", (0, 0)), ("true", (23, 23))]

    def test_hostile_output(self) -> None:
        noise = (
            "\x1b[5;2r\x1b[?6h\x1b(0\x0e\x1b[999;999H\x1b]0;\x1b[?1049h\x1bP"
            + "x" * 3000
            + "\x1b\\\x1b[?1049l\x1bc"
        )
        assert texts(*bash_line(0, "cat evil", noise), *bash_line(400, "true")) == ["cat evil", "true"]


class TestLines:
    def test_continuation_is_joined(self) -> None:
        lines = typed(
            *bash_line(0, "for i in 1"),
            *bash_line(300, "do id", prompt="> "),
            *bash_line(600, "done", prompt="> "),
        )
        assert [(line.text, line.prompt, line.start_ms) for line in lines] == [
            ("for i in 1\ndo id\ndone", "$ ", 0)
        ]

    def test_what_looks_unfinished_is_given_out_once_the_shell_prompts_anew(self) -> None:
        assert texts(*bash_line(0, "echo it's"), *bash_line(300, "ls")) == ["echo it's", "ls"]

    def test_what_looks_unfinished_is_given_out_once_the_shell_runs_something(self) -> None:
        run = ran(220, "sleep", pid=7, ppid=SHELL)
        later = ran(900, "true", pid=9, ppid=8)
        assert texts(*bash_line(0, "sleep 9 \\"), run) == []
        assert texts(*bash_line(0, "sleep 9 \\"), run, later) == ["sleep 9 \\"]

    def test_history_references_are_replaced(self) -> None:
        (line,) = typed(*bash_line(0, "sudo !!", "sudo id\nroot\n"))
        assert (line.text, line.raw) == ("sudo id", "sudo !!")

    def test_references_that_fail_stay_as_typed(self) -> None:
        (line,) = typed(*bash_line(0, "!nothing", "bash: !nothing: event not found\n"))
        assert (line.text, line.raw) == ("!nothing", "")

    def test_the_open_line(self) -> None:
        found = TypedLines()
        for item in (raw(1), out(1.1, ON + b"$ "), out(50, "curl ")):
            found.feed(item) if isinstance(item, Output) else found.event(item)
        assert found.open
        assert (found.open.text, found.open.complete) == ("curl", False)
        found.feed(out(90, b"\r\n" + OFF + b"\r"))
        assert found.open is None
        assert [line.text for line in found.take()] == ["curl"]
        assert not found.take()


BITS = [
    ON,
    OFF,
    b"\r\n",
    b"\n",
    b"\r",
    b"$ ",
    b"> ",
    b"ls",
    b"!!",
    b"echo '",
    b"\x1b[A",
    b"\x1b[2J\x1b[H",
    b"\x1b[K",
]
BITS += [
    b"\x1b[?1049h",
    b"\x1b[?1049l",
    b"\x1b]133;B\x07",
    b"\x08",
    b"x" * 90,
    b"^C",
    b"\x1b[31m",
    b"\x1b[",
    b":!id",
]
BITS += [b"cat <<E", b"E", b"\x1b[5;9r", b"\x1bc", b"\xff\xe6\xbc", b"line\r\n" * 60]
PROGRAMS = ["bash", "zsh", "fish", "dash", "tmux: server", "vim", "python3", "ssh", "sudo"]

pauses = st.sampled_from([0.0, 0.001, 0.2, 5, 40, 400])
streams = st.lists(st.sampled_from(BITS), min_size=1, max_size=6).map(b"".join)
modes = st.tuples(
    st.sampled_from([5, 6]), st.sampled_from(PROGRAMS), st.sampled_from(["pts/1", "pts/2"]), st.booleans()
)
steps = st.lists(
    st.tuples(pauses, st.one_of(streams, modes, st.sampled_from(["sh", "bash", "id"]))), max_size=40
)


def story(told: list[tuple[float, bytes | tuple[int, str, str, bool] | str]]) -> list[Event | Output]:
    """A session of whatever it may be."""
    now, items = 1.0, list[Event | Output]()
    for pause, what in told:
        now += pause
        match what:
            case bytes():
                items.append(out(now, what))
            case str():
                items.append(ran(now, what, pid=6, ppid=5))
            case (pid, program, tty, True):
                items.append(raw(now, pid, program, tty))
            case (pid, program, tty, _):
                items.append(cooked(now, pid, program, tty, echo=pid == 5))
    return items


@settings(max_examples=300, deadline=None)
@given(steps)
def test_nothing_raises_and_no_cut_matters(
    told: list[tuple[float, bytes | tuple[int, str, str, bool] | str]],
) -> None:
    items = story(told)
    whole, cut = typed(*items), list[TypedLine]()
    found = TypedLines()
    for item in items:
        if isinstance(item, Output):
            for byte in item.data:
                found.feed(msgspec.structs.replace(item, data=bytes([byte])))
                cut += found.take()
                assert found.open is None or found.open.complete is False
        else:
            found.event(item)
    cut += found.take()
    assert [msgspec.structs.replace(line, rows=(0, 0)) for line in cut] == [
        msgspec.structs.replace(line, rows=(0, 0)) for line in whole
    ]
