"""Is this what somebody would hide, or chance? Judging what a decoder gave.

A random string that happens to be base64 decodes to random bytes. Those are told from text by their
characters alone when there are enough of them; a short result must read like a command or like words.
"""

from __future__ import annotations

import re

from esr_tui.divergence.decoding import squeeze
from esr_tui.divergence.decoding.limits import SHOWN

COMMANDS = frozenset(
    """apt apt-get ash at awk base32 base64 bash busybox bzip2 cat cd chattr chmod chown cp cron crontab curl
    cut dash date dd df dig dir docker du echo env eval exec export find free ftp gcc getent git grep gunzip
    gzip head history hostname hostnamectl id ifconfig import insmod ip iptables java journalctl kill killall
    ksh last ldd ln logname ls lsblk lscpu lsmod lsof lua mkdir mkfifo mknod mktemp mount mv nc ncat netcat
    netstat node nohup nsenter nslookup openssl passwd perl php ping pip pkill printenv printf ps pwd python
    python2 python3 read rev rm rsync ruby scp screen sed service set setsid sh shred sleep socat sort source
    ss ssh stat strace su sudo systemctl systemd-run tac tail tar tcpdump tee telnet test tftp time timeout
    tmux top touch tr trap umask uname uniq unset unxz unzip uptime useradd vi vim visudo vmstat w wall watch
    wc wget whereis which who whoami xargs xxd xz yes zcat zip zsh""".split()
)
"""First words by which a short result is taken for a command line."""

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\n\r\x0b\x0c\x1b"
_ALNUM = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B)) + b" \t\n"
_FIRST = re.compile(rb"\s*(?:sudo\s+)?(?:/[\w./-]{1,64}/)?([a-z][a-z0-9-]{0,14})(?=[\s;|&>\"'()]|$)")
_CUES = re.compile(
    rb"(?:^|\s)--?[a-z]|/(?:bin|etc|tmp|dev|usr|var|home|root|proc|opt|run)\b|://|\|\s?(?:ba|z|da|k)?sh\b"
    rb"|#!/|\bimport |\bexec\(|\beval\b"
)
_WORDS = re.compile(rb"[A-Za-z][a-z]{2,}|[A-Z]{3,}")
_SHORT = 24
"""Below this many bytes, printable characters alone say too little."""

MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x7fELF", "elf", "ELF executable"),
    (b"\x1f\x8b\x08", "gzip", "gzip data"),
    (b"\xfd7zXZ\x00", "xz", "xz data"),
    (b"BZh", "bzip2", "bzip2 data"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd data"),
    (b"PK\x03\x04", "zip", "zip archive"),
)
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def magic(data: bytes) -> tuple[str, str] | None:
    """Codec and name of what is known by its first bytes: ("gzip", "gzip data"). None for the rest."""
    for start, codec, name in MAGICS:
        if data.startswith(start):
            if codec == "bzip2" and data[4:10] != b"1AY&SY":
                continue
            if codec == "gzip" and len(data) < 18:
                continue  # a program that writes the header of one
            return codec, name
    if data.startswith(_ZLIB) and len(data) > 10 and len(squeeze.expand("zlib", data[:4096], 64)) >= 4:
        return "zlib", "zlib data"
    return None


def printable(data: bytes) -> bool:
    """Whether all of it is printable ASCII and white space."""
    return not data.translate(None, _PRINTABLE)


def commandlike(data: bytes) -> bool:
    """Whether the first word is a well-known command."""
    match = _FIRST.match(data)
    return match is not None and match[1].decode("ascii") in COMMANDS


def wordlike(data: bytes) -> bool:
    """Whether printable `data` reads like a command line or like words of a language."""
    if len(data) < 2 or not printable(data):
        return False
    if commandlike(data):
        return True
    if len(data) < 4:
        return False
    words = sum(len(word) for word in _WORDS.findall(data[:4096]))
    size = len(data[:4096].translate(None, b" \t\n\r"))
    share = words / size if size else 0.0
    return share >= 0.7 or (share >= 0.4 and _CUES.search(data[:4096]) is not None)


def plausible(data: bytes) -> bool:
    """Whether `data` may be what was meant: text, or something with a known magic."""
    if magic(data):
        return True
    if len(data) < _SHORT:
        return wordlike(data)
    head = data[:SHOWN]
    if printable(head):
        return len(head.translate(None, _ALNUM)) <= 0.5 * len(head) and len(set(head)) > 4
    odd = len(head.translate(None, _PRINTABLE))
    if odd <= 0.08 * len(head) and len(head) >= 64:
        return True
    return _foreign(head)


def legible(data: bytes) -> bool:
    """Like plausible, and printable from end to end: for codecs that make something of almost everything."""
    return len(data) >= 8 and printable(data[:SHOWN]) and plausible(data)


def _foreign(head: bytes) -> bool:
    """Whether it is UTF-8 text of a language that is not written in ASCII."""
    try:
        text = head[:-3].decode("utf-8") if len(head) == SHOWN else head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\n\r" for char in text)


def narrow(data: bytes) -> bytes | None:
    """UTF-16LE text as UTF-8; None when it is not that. (PowerShell's habit, and Python's utf-16-le.)"""
    head = data[2:] if data.startswith(b"\xff\xfe") else data
    if len(head) < 4 or len(head) % 2 or any(head[1:64:2]) or not all(head[0:64:2]):
        return None
    try:
        text = head.decode("utf-16-le").encode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
    return text if plausible(text) else None


def show(data: bytes) -> str:
    """`data` for a Layer: text, or for binary formats their name and size; at most SHOWN characters."""
    known = magic(data)
    if known:
        return f"{known[1]}, {len(data)} bytes"
    if len(data[:SHOWN].translate(None, _PRINTABLE)) > 0.3 * len(data[:SHOWN]) and not _foreign(data[:SHOWN]):
        return f"binary data, {len(data)} bytes"
    text = data[: SHOWN + 4].decode("utf-8", "backslashreplace")
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
