"""The constant folder against a real bash: the words that it says a line comes to are those that bash runs."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from esr_tui.divergence.decode import layers

BASH = shutil.which("bash")
# No program is found (PATH leads nowhere), so nothing runs: the handler prints the words that would have been.
SETUP = 'command_not_found_handle() { printf "%s\\n" "$*"; }; PATH=/nowhere; IFS=$\' \\t\\n\'; '

LINES = r"""
a=fr;b=ob; $a$b nicate
a=fr b=ob; $a$b nicate
a="fro"; a+='b'; $a nicate
a=frobnicate; ${a} x
a=xfrobx; ${a:1:4} nicate
a=xfrob; ${a:1} nicate
a=frobx; ${a:0:-1} nicate
a=frob; ${a: -4} nicate
a=fZrZoZb; ${a//Z/} nicate
a=fXrob; ${a/X} nicate
a=FROB; ${a,,} nicate
a=Frob; ${a,} nicate
a=frob; ${a^^} nicate
a=frob.sh; ${a%.sh} nicate
a=x-frob; ${a#x-} nicate
a=frob; ${a:-other} nicate
a=frob; b=a; ${!b} nicate
a=(fr ob); ${a[0]}${a[1]} nicate
a=(x frob y); ${a[1]} nicate
a=frob; eval $a nicate
a='frob nicate'; $a
a='frob nicate'; eval "$a"
$(echo frob) nicate
$(printf fr)$(printf ob) nicate
`echo frob` nicate
$(printf '\x66\x72ob') nicate
$'\x66\x72\x6f\x62' nicate
$'\146rob' nicate
$'fro\u0062' nicate
f'r'o"b" nicate
fr''ob nicate
f\rob nicate; who\ami
who$@ami nicate
who$*ami nicate
who${1}ami nicate
frob${IFS}nicate
frob$IFS'nicate'
{frob,nicate}
{frob,-a,nicate}
printf -v a '\x66rob'; $a nicate
a=fr; b=${a}ob; c=$b; $c nicate
export a=frob; $a nicate
a=fr"o"'b'; "$a" nicate
""".strip().splitlines()


def _ran(line: str) -> str:
    out = subprocess.run([BASH or "bash", "-c", SETUP + line], capture_output=True, text=True, check=False)
    return " ".join(out.stdout.split())


@pytest.mark.skipif(BASH is None, reason="bash is not installed here")
@pytest.mark.parametrize("line", LINES)
def test_a_line_comes_to_what_bash_runs(line: str) -> None:
    found = [
        layer.text for layer in layers(line.encode()) if layer.codec in ("expanded", "ansi-c", "unquoted")
    ]
    assert found, "nothing was rewritten"
    ran = _ran(line)
    assert ran.lower().startswith("frob") or "whoami" in ran, "the line itself is not what it should be"
    assert _ran(found[0]) == ran
    plain = found[0].replace("'", "").replace('"', "").split("; ")[-1].removeprefix("eval ")
    assert ran.endswith(" ".join(plain.split()))
