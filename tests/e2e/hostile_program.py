"""Run by the recorded user with plain Python: everything that a user can name, write or ask for to hurt a recorder.

    python3 hostile_program.py RECORDER_PID STORE EVERY_FILE_OF_IT…

Prints one line of JSON: what it may do to the store and to the recorder, hoped to be nothing.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading

EVERY_BYTE = bytes(set(range(1, 256)) - {0x2F})
ESCAPES = (
    b"\x1b]0;pwned\x07\x1b]52;c;AAAA\x1b\\\x1b[2J\x9b31m[@click=app.quit]x[/]\r\n\xe2\x80\xae"
    b"../../../tmp/esr-evil"
)
libc = ctypes.CDLL(None, use_errno=True)


def attempts(pid, store, files):
    """Names and deeds, of which none must succeed."""
    log = os.path.join(store, "log")
    for path in [store, log, *files]:
        yield f"read {path}", lambda path=path: os.open(path, os.O_RDONLY)
        yield f"write {path}", lambda path=path: os.open(path, os.O_WRONLY)
        yield f"unlink {path}", lambda path=path: os.unlink(path)
        yield f"rename {path}", lambda path=path: os.rename(path, path + "x")
        yield f"chmod {path}", lambda path=path: os.chmod(path, 0o777)
        yield f"link {path}", lambda path=path: os.link(path, os.path.expanduser("~/stolen"))
        yield f"create {path}", lambda path=path: os.open(path + "-0.chunks.gz", os.O_CREAT | os.O_WRONLY)
        yield f"mkdir {path}", lambda path=path: os.mkdir(path + "/x")
    yield "rmdir", lambda: os.rename(store, store + "-gone")
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGHUP, signal.SIGUSR2):
        yield f"signal {number}", lambda number=number: os.kill(pid, number)
    for name in ("mem", "maps", "environ", "fd", "root", "cwd", "auxv"):
        yield f"proc {name}", lambda name=name: os.listdir(f"/proc/{pid}/{name}") if name in (
            "fd", "root", "cwd"
        ) else open(f"/proc/{pid}/{name}", "rb").read(1)  # fmt: skip
    if open("/proc/self/loginuid").read() != "4294967295":  # one that no login has set may be set by anybody
        yield "loginuid", lambda: os.write(os.open("/proc/self/loginuid", os.O_WRONLY), b"0")
    for what, number in (
        ("ptrace", 0),
        ("bpf", 321 if os.uname().machine == "x86_64" else 280),
        ("pidfd_getfd", 438),
    ):
        yield what, lambda number=number: refused(number, pid)


def refused(number, pid):
    """Attaching to the recorder; opening maps by id; taking a descriptor of it."""
    if not number:
        done = libc.ptrace(0x4206, pid, 0, 0)
    elif number != 438:
        done = libc.syscall(ctypes.c_long(number), 14, struct.pack("=IIII", 1, 0, 0, 0), 16)
    else:
        done = libc.syscall(ctypes.c_long(number), os.pidfd_open(pid), 3, 0)
    if done < 0:
        raise OSError(ctypes.get_errno(), "refused")


def allowed(pid, store, files):
    found = []
    for name, act in attempts(pid, store, files):
        try:
            act()
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOSYS):
                found.append(f"{name}: {errno.errorcode.get(error.errno)}")
        else:
            found.append(name)
    return found


def execute(argv, env=None, **more):
    """Runs true with these arguments; what the kernel refuses (too long) is as good."""
    with contextlib.suppress(OSError, ValueError):
        subprocess.run(argv, env=env, executable="/bin/true", check=False, **more)


def programs():
    execute([ESCAPES, EVERY_BYTE, b"\xff\xfe\x80", b"", b"\xed\xa0\x80"])
    execute([b"x" * 131000] * 8)
    execute([b"true", *[b"a"] * 20000])
    execute([b""])
    execute([b"true", b"-c", ESCAPES])
    names = (
        b"LD_PRELOAD",
        b"PATH",
        b"BASH_ENV",
        b"TERM",
        b"SSH_CONNECTION",
        b"SSH_TTY",
        b"USER",
        b"HOME",
        b"PS1",
    )
    execute([b"env"], env=dict.fromkeys(names, ESCAPES + EVERY_BYTE * 40))
    execute([b"env"], env={b"V%d" % n: b"y" * 4000 for n in range(100)})
    read_end, write_end = os.pipe()
    os.write(write_end, EVERY_BYTE * 8 + ESCAPES)
    os.close(write_end)
    subprocess.run(["/bin/sh"], stdin=read_end, stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["/bin/sh", "-c", b"# " + ESCAPES + b"\n/bin/true\n"], check=False)


def names(folder):
    """Files and processes of every name."""
    for name in (
        EVERY_BYTE[:127],
        EVERY_BYTE[127:],
        ESCAPES.replace(b"/", b"|")[:200],
        b"\n",
        b"..x",
        b"-rf",
    ):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(b"#!/bin/true " + ESCAPES[:60] + b"\n")
        os.chmod(path, 0o700)
        with contextlib.suppress(OSError):
            subprocess.run([path, ESCAPES], check=False)
        os.rename(path, path + b"2")
        os.symlink(ESCAPES, path)
    for _ in range(17):  # a working directory whose path has more than 4 KiB
        os.mkdir("d" * 255)
        os.chdir("d" * 255)
    open("deep", "w").close()
    execute([b"deep"])
    os.chdir(folder)
    for comm in (b"\xff\n) S 1 1", b"sshd", b"sshd: root@pts", EVERY_BYTE[:15], b""):
        libc.prctl(15, comm, 0, 0, 0)
        execute([b"named"])
    for name in (b"x" * 200, ESCAPES.replace(b"/", b"|"), EVERY_BYTE[:200]):
        fd = libc.memfd_create(name, 0)
        if fd >= 0:
            os.write(fd, b"#!/bin/true\n")
            with contextlib.suppress(OSError):
                subprocess.run([f"/proc/self/fd/{fd}"], pass_fds=[fd], check=False)
            os.close(fd)


def scripts(folder):
    """What a recorder that looked at scripts carelessly would hang on, or give away."""
    os.mkfifo("fifo.sh")
    os.symlink("/etc/shadow", "link.sh")
    for script in ("fifo.sh", "/dev/tty", "/etc/shadow", "link.sh", "/proc/self/mem", "loop", "none" * 60):
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["/bin/sh", script], timeout=0.3, check=False,
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip


def network():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for payload in (EVERY_BYTE, b"\xc0\x0c" * 100, b"\0" * 12 + b"\x3f" + ESCAPES, b"", b"\xff" * 500):
            with contextlib.suppress(OSError):
                one.sendto(payload, ("127.0.0.1", 53))


def terminal():
    """Sizes, modes and bytes of every kind; the name of a window that is none."""
    with contextlib.suppress(OSError, termios.error):
        for size in ((65535, 65535), (0, 0), (1, 1), (24, 80)):
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        dice = random.Random(5)
        parts = (
            b"\x1b[",
            b"\x1b]",
            b"\x1bP",
            b"\x9b",
            b"\x18",
            b"9" * 300,
            b";",
            b"m",
            b"\x1b[?1049h",
            b"\xf0\x9f",
            b"\x1b#8",
        )
        for _ in range(300):
            os.write(1, dice.choice(parts) + dice.randbytes(200).replace(b"\x13", b"") + dice.choice(parts))
        os.write(1, b"\x18\x1bc" + ESCAPES + b"\x1bc\r\n")


def main():
    pid, store, *files = sys.argv[1:]
    found = allowed(int(pid), store, files)
    os.chdir(tempfile.mkdtemp(dir=os.path.expanduser("~"), prefix="hostile"))
    folder = os.fsencode(os.getcwd())
    programs()
    names(folder)
    scripts(folder)
    network()
    thread = threading.Thread(target=execute, args=([b"from-a-thread"],))
    thread.start()
    thread.join()
    terminal()
    print("\nRESULT " + json.dumps(found) + " END", flush=True)


if __name__ == "__main__":
    main()
