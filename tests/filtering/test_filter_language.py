"""The filter language: words, fields, ranges, and errors that point at the place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.filtering import EVENTS, SESSIONS, FilterError, Table, parse
from esr_tui.filtering.codes import code_of
from esr_tui.filtering.completion import complete
from esr_tui.filtering.documents import event_document, session_document
from esr_tui.model.events import AnyEvent, Command, Conduct, Disk, Exit, Gap, Input, Network
from esr_tui.model.session import SessionSummary
from esr_tui.tui.rows import row


def event(kind: type[AnyEvent], ms: int, **fields: Any) -> AnyEvent:
    common = {"time": "2026-11-22T15:59:00.000Z", "uid": f"uid-{ms}", "ei": ms, "sid": "s", "user": "eve"}
    return kind(code=kind.CODE, login="eve", ms=ms, **{**common, **fields})


def document(each: AnyEvent) -> str:
    return event_document(each, row(each).summary)


ROWS = {
    "curl": event(
        Command,
        1_000,
        pid=12,
        ppid=4,
        program="curl",
        argv=["curl", "-o", "out.sh", "http://X.example/"],
        path="/usr/bin/curl",
        euid=1000,
        loginuid=1000,
    ),
    "sudo": event(
        Command, 2_000, pid=14, ppid=4, program="id", argv=["id"], path="/usr/bin/id", loginuid=1000
    ),
    "passwd": event(
        Disk, 10_000, pid=13, program="cat", path="/etc/passwd", given="../etc/passwd", return_code=-13
    ),
    "tls": event(
        Network,
        20_000,
        pid=12,
        program="curl",
        dst_addr="10.0.0.1",
        src_addr="::ffff:192.0.2.7",
        dst_port=443,
        src_port=50443,
        state="established",
    ),
    "v6": event(Network, 65_000, pid=15, program="nc", dst_addr="fe80::1", dst_port=80, state="refused"),
    "exit": event(Exit, 70_000, pid=12, program="curl", return_code=7),
    "lost": event(Gap, 80_000, cause="ring_full", count=3, what="disk"),
    "read": event(Input, 90_000, pid=16, program="sh", source="pipe", text="rm -rf /tmp/x\n"),
    "trace": event(Conduct, 95_000, pid=17, program="gdb", operation="ptrace"),
}
DOCUMENTS = {name: document(each) for name, each in ROWS.items()}
CODES = [code_of("piped", "high"), code_of("shown", "info"), *[0] * (len(ROWS) - 2)]
TABLE = Table(list(DOCUMENTS.values()), CODES, [each.ms for each in ROWS.values()])


def found(text: str) -> str:
    """The names of the rows that pass, told in both ways."""
    narrowed = parse(text)
    chosen = narrowed.select(TABLE, range(len(ROWS)))
    one_by_one = [at for at in range(len(ROWS)) if narrowed.matches(*(column[at] for column in TABLE))]
    assert list(chosen) == one_by_one
    return " ".join(list(ROWS)[at] for at in chosen)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", " ".join(ROWS)),
        ("curl", "curl tls exit"),
        ("CURL X.EXAMPLE", "curl"),
        ('"o out.sh"', "curl"),
        ("'o out.sh'", "curl"),
        ("http://x.example/", "curl"),
        ("kind:network", "tls v6"),
        ("kind:net,exit", "tls v6 exit"),
        ("kind!=cmd curl", "tls exit"),
        ("port:443", "tls"),
        ("port:44", ""),
        ("port:1..1024", "tls v6"),
        ("port:444..", "tls"),
        ("port:..80", "v6"),
        ("port:80,443", "tls v6"),
        ("port>443", "tls"),
        ("port<80", ""),
        ("port<=80", "v6"),
        ("port!=443 kind:net", "v6"),
        ("pid:12", "curl tls exit"),
        ("pid:1", ""),
        ("status:-13", "passwd"),
        ("status:EACCES", "passwd"),
        ("status<0", "passwd"),
        ("path:/etc/", "passwd"),
        ("path:/etc/*", "passwd"),
        ("path:/etc", "passwd"),
        ("path:/ETC/p?sswd", "passwd"),
        ("path:etc/*", ""),
        ("path:*/etc/*", "passwd"),
        ("path:/usr/*/c*l", "curl"),
        ("path=/usr/bin/curl", "curl"),
        ("path=/usr/bin", ""),
        ("path:443", ""),
        ("program:cur", "curl tls exit"),
        ("program=cur", ""),
        ("program:curl -kind:exit", "curl tls"),
        ("user:root", "sudo"),
        ("user:eve kind:cmd", "curl"),
        ("uid:1000", "curl"),
        ('argv~"-o .*"', "curl"),
        (r"argv~\bout\.(sh|py)\b", "curl"),
        ("argv!~out kind:cmd", "sudo"),
        ("argv~^id$", "sudo"),
        ("~CURL.*example", "curl"),
        (r"~\S+\sout", "curl"),
        ("addr:10.0.0.0/8", "tls"),
        ("addr:10.0.0.1", "tls"),
        ("addr:10.0.0.", "tls"),
        ("addr:10.0.0.10", ""),
        ("addr:192.0.2.0/24", "tls"),
        ("addr:fe80::/10", "v6"),
        ("addr!=fe80::1 kind:net", "tls"),
        ("time:10s..20s", "passwd tls"),
        ("time>=1:05", "v6 exit lost read trace"),
        ("time<2", "curl"),
        ("time:10..20,1:10..", "passwd tls exit lost read trace"),
        ("cause:ring", "lost"),
        ("input:rf", "read"),
        ("op:ptrace", "trace"),
        ("-curl", "sudo passwd v6 lost read trace"),
        ("not curl !lost", "sudo passwd v6 read trace"),
        ("passwd or lost", "passwd lost"),
        ("kind:cmd OR kind:net port:80", "curl sudo v6"),
        ("(kind:cmd or kind:net) and -program:curl", "sudo v6"),
        ("-(kind:cmd or program:curl)", "passwd v6 lost read trace"),
        ("verdict:piped", "curl"),
        ("verdict:piped,shown severity<medium", "sudo"),
        ("severity:info..medium", "sudo"),
        ("-severity>=high kind:cmd", "sudo"),
        ("verdict:shown or lost", "sudo lost"),
    ],
)
def test_what_passes(text: str, names: str) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('curl "open', '"open', "this quote is not closed"),
        ("a pid:many", "many", "pid wants a number"),
        ("pid:5..1", "5..1", "pid wants a number"),
        ("kind:dance", "dance", "no kind is called dance"),
        ("a colour:red b", "colour", "no field is called colour"),
        ('path:""', 'path:""', "path: needs a value"),
        ("path: x", "path:", "path: needs a value"),
        ('""', '""', "empty quote"),
        ("a -", "-", "lone minus"),
        ("(a or b", "(", "is not closed"),
        ("a) b", ")", "no ( for this )"),
        ("a or", "or", "something must follow"),
        ("and a", "and", "nothing stands between the start and and"),
        ("()", ")", "nothing stands between"),
        ("path>3", ">", "cannot be asked with >"),
        ("time:later", "later", "time wants a time"),
        ("verdict:hidden", "hidden", "no verdict is called hidden"),
        ("severity>=awful", "awful", "no severity is called awful"),
        ("addr:10.0.0.0/40", "10.0.0.0/40", "is no network"),
        ('argv~"(a+)+b"', '"(a+)+b"', "could take for ever"),
        ("argv~[a", "[a", "is no regular expression"),
        ("@nothing", "@nothing", "no filter is saved as @nothing"),
        ("-" * 60 + "a", "-", "nested deeper"),
        ("x" * 5000, "x", "longer than 4096"),
    ],
)
def test_bad_input_gets_a_sentence_that_points_at_the_place(text: str, place: str, says: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text)
    error = raised.value
    assert says in str(error)
    assert text[error.at : error.at + error.length] == place
    assert error.caret == " " * error.at + "^" * error.length


def test_saved_filters_stand_for_their_text() -> None:
    saved = {"web": "port:80 or port:443", "quiet": "-@web -curl", "round": "@round", "bad": "port:x"}
    narrowed = parse("kind:net -@web", EVENTS, saved)
    assert not narrowed.select(TABLE, range(len(ROWS)))
    assert parse("@quiet kind:net", EVENTS, saved).select(TABLE, range(len(ROWS))) == []
    for text, says in (
        ("@round", "contains itself"),
        ("@bad", "in the saved filter @bad: port wants"),
        ("@no", "there is @web, @quiet, @round, @bad"),
    ):
        with pytest.raises(FilterError, match=says):
            parse(text, EVENTS, saved)


def test_an_event_cannot_pretend_to_have_a_field() -> None:
    liar = document(event(Command, 1, pid=5, argv=["\x0a443\x1f", "port:443", "kind:network", "\r443\x1f"]))
    assert not parse("port:443").matches(liar)
    assert not parse("kind:network").matches(liar)
    assert parse('"port:443"').matches(liar)


def test_a_long_argument_hides_no_other_field() -> None:
    padded = document(
        event(Command, 1, pid=5, program="sh", argv=["x" * 100_000], path="/bin/sh", tty="pts/1")
    )
    assert len(padded) <= 16384
    assert parse("pid:5 program=sh path=/bin/sh kind:cmd tty:pts/1 argv:xxx").matches(padded)


SESSION = SessionSummary(
    sid="3f9c11aa",
    user="ada",
    login="ada",
    origin="10.1.2.3:50122",
    tty="pts/3",
    started="2026-11-22T09:30:00.000Z",
    duration_ms=90_000,
    commands=120,
    network=2,
    worst="high",
    divergences=3,
    lost={"ring_full": 4},
    state="ended",
    last_command="curl http://x.example",
)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("ada", True),
        ("user:ada state:ended", True),
        ("state:live", False),
        ("from:10.0.0.0/8", True),
        ("from:10.1.2.3", True),
        ("from:10.1.2.30", False),
        ("from:50122", False),
        ("started:2026-11-22", True),
        ("started>=2026-11-22T09", True),
        ("started>2026-11-22", False),
        ("started<2026-11-22T10", True),
        ("started:2026-11-20..2026-11-21", False),
        ("started:2026-11-20..2026-11-22", True),
        ("lasted>1m", True),
        ("lasted:2m..1h", False),
        ("commands>100 network:1..5", True),
        ("worst>=medium -worst:critical", True),
        ("worst<high", False),
        ("divergences:3 lost>0", True),
        ("last~curl.*example", True),
    ],
)
def test_sessions_have_fields_too(text: str, passes: bool) -> None:
    assert parse(text, SESSIONS).matches(session_document(SESSION)) is passes


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ki", ["kind:"]),
        ("curl -pro", ["program:", "proto:"]),
        ("(po", ["port:"]),
        ("kind:ne", ["network", "net"]),
        ("kind:disk,ne", ["network", "net"]),
        ("kind:network", []),
        ("verdict!=pi", ["piped"]),
        ("severity:low..", ["info", "low", "medium", "high", "critical"]),
        ("program:cu", ["curl"]),
        ("status:EACC", ["EACCES"]),
        ("status:", []),
        ("@", ["@web", "@files"]),
        ("@w", ["@web"]),
        ('"ki', []),
        ("ki ", []),
        ("", []),
    ],
)
def test_words_are_completed(typed: str, words: list[str]) -> None:
    seen = {"program": ["curl", "odd (name)"]}
    completion = complete(
        typed, EVENTS, {"web": "port:80", "files": "kind:disk"}, lambda name: seen.get(name, [])
    )
    assert list(completion.words) == words
    for word in words:
        assert typed[: completion.at] + word


WORDS = st.sampled_from(
    [
        "curl",
        "-",
        "not",
        "or",
        "and",
        "(",
        ")",
        "kind:net",
        "port:1..99",
        '"a b"',
        "time:>",
        "~c.rl",
        "@x",
        "pid>3",
        "x:",
    ]
)


@given(st.text(max_size=60) | st.lists(WORDS, max_size=8).map(" ".join))
def test_any_text_is_understood_or_refused(text: str) -> None:
    complete(text, EVENTS, {})
    try:
        narrowed = parse(text)
    except FilterError as error:
        assert str(error)
        assert 0 <= error.at <= len(text) * 8
    else:
        for at in range(len(ROWS)):
            narrowed.matches(*(column[at] for column in TABLE))
        narrowed.select(TABLE, range(len(ROWS)))


EXPRESSIONS = st.lists(
    st.sampled_from(
        [
            "^",
            "$",
            r"\b",
            r"\B",
            "c",
            "curl",
            ".",
            ".*",
            r"\s",
            r"\W",
            "[^a]",
            "/",
            "o+",
            "(?!x)",
            "(?:a|u)",
            r"\A",
            r"\Z",
        ]
    ),
    min_size=1,
    max_size=5,
).map("".join)


@given(EXPRESSIONS, st.sampled_from(["~", "argv~", "path~", "program!~", "addr~"]))
def test_the_quick_way_through_many_rows_says_the_same(expression: str, where: str) -> None:
    try:
        narrowed = parse(f'{where}"{expression}"')
    except FilterError:
        return
    one_by_one = [at for at in range(len(ROWS)) if narrowed.matches(*(column[at] for column in TABLE))]
    assert list(narrowed.select(TABLE, range(len(ROWS)))) == one_by_one
