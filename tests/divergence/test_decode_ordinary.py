"""Ordinary command lines hide nothing, and nothing is found in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esr_tui.divergence.decode import layers

ORDINARY = r"""
ls -la /var/log
cd ~/src/project && git status
git checkout 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b
git show 789c7801da5e4c7d659a2feaa0c55ad015a3bf4f
git rebase -i deadbeef^
git log --oneline --graph --decorate --all --format='%h %an %s'
git commit -m "Don't repeat the frobnication of internationalisation"
docker run --rm -it -v "$PWD":/src -w /src python:3.12-slim bash
docker pull alpine@sha256:c5b1261d6d3e43071626931fc004f70149baeba2c8ec672bd4f27761f8e1ad6b
kubectl get pods -n kube-system -o jsonpath='{.items[*].metadata.name}'
kubectl delete pod web-7d4b9c6f5d-x2x9z
curl -fsSL https://example.org/install.sh -o install.sh
curl 'https://example.org/search?q=hello%20world&lang=en%2Cde&next=%2Fhome'
curl -X POST -H 'Content-Type: application/json' -d '{"name":"value","list":[1,2,3]}' localhost:8080/api/v1/items
wget -qO- https://example.org/a/b/c/LongCamelCaseDirectoryName/SomeVeryLongFileName.tar.gz
tar czf backup-$(date +%Y%m%d).tar.gz /home/alice
find . -type f -name '*.py' -exec grep -l 'import os' {} \;
find /tmp \( -name '*.o' -o -name '*.a' \) -mtime +7 -delete
find . -print0 | xargs -0 -n1 basename
grep -rn "TODO\|FIXME" src/ | sort | uniq -c | sort -rn | head -20
grep -P '\d{4}-\d{2}-\d{2}' access.log
grep -E '^(foo|bar)\s+[0-9]+$' file.txt
sed -i 's/foo/bar/g; s#/usr/local#/opt#' config.ini
sed -e 's/\x1b\[[0-9;]*m//g' log.txt
awk -F: '{print $1, $3}' /etc/passwd
awk '{printf "%-20s %d\n", $1, $2}' data.txt
tr -d '\r' < dos.txt > unix.txt
tr '\n' ' ' < list.txt
echo "Hello, World" | tr a-z A-Z
echo "/a/b/c.txt" | rev | cut -d/ -f1 | rev
echo -e "\033[1;31mred\033[0m"
echo -e 'first\nsecond\tthird'
printf '%s\n' "$HOME" "$USER"
printf "%02d:%02d:%02d\n" 1 2 3
export PS1='\[\e[32m\]\u@\h\[\e[0m\]:\w\$ '
export PATH=$HOME/bin:/usr/local/sbin:$PATH
export JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64
IFS=$'\n\t'
while IFS= read -r line; do echo "$line"; done < file.txt
for f in *.txt; do mv "$f" "${f%.txt}.md"; done
for i in {1..10}; do echo $i; done
mv report.{txt,bak}
cp -r src/{main,test} /tmp/copy/
mkdir -p project/{src,tests,docs}
if [ "$(uname)" = 'Linux' ]; then echo yes; fi
[ -f ~/.bashrc ] && . ~/.bashrc
test -n "$SSH_TTY" || exit
\ls --color=never
\rm -f core
ssh -o StrictHostKeyChecking=no user@192.0.2.10 'uptime; df -h'
ssh-keygen -t ed25519 -C "alice@example.org"
ssh host "ps aux | grep nginx"
scp user@host:/var/backups/db-2026-11-22T17:00:00.sql.gz .
rsync -avz --delete --exclude='.git' ./ host:/srv/www/
ip addr show dev eth0; ip -6 route
ping -c 3 2001:db8::dead:beef
arp -a | grep 00:16:3e:5e:6c:00
openssl x509 -in cert.pem -noout -text
openssl rand -hex 32
openssl dgst -sha256 file.iso
sha256sum -c <<< "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty"
md5sum /usr/bin/bash
base64 image.png > image.b64
base64 -d image.b64 > image.png
cat key.b64 | base64 --decode | openssl rsa -pubin -text
gzip -9 access.log.1
zcat /var/log/syslog.2.gz | grep error
xz -T0 -k disk.img
xxd firmware.bin | head
hexdump -C /dev/urandom | head -n 4
od -An -tx1 file
python3 -m venv .venv && . .venv/bin/activate
python3 -c 'import sys; print(sys.version)'
python3 -c "print('hello'.upper())"
python3 -c 'print(f"{3+4} items")'
perl -pe 's/(\w+)\s+(\w+)/$2 $1/' file
perl -ne 'print if /^\s*#/' conf
node -e 'console.log([1,2,3].map(x => x*2))'
make -j8 CC=clang CFLAGS="-O2 -g -Wall" install DESTDIR=/tmp/stage
cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_SHARED_LIBS=ON ..
npm install --save-dev typescript@5.4.5 @types/node
pip install 'requests>=2.31,<3' textual==8.2.8
cargo build --release --features "serde,tokio"
apt-get install -y --no-install-recommends build-essential libssl-dev
sudo systemctl restart nginx.service
journalctl -u ssh --since "2026-11-22 10:00" --no-pager
uuidgen; echo 550e8400-e29b-41d4-a716-446655440000
lvcreate -L 10G -n data vg0 && mkfs.ext4 /dev/vg0/data
mount UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 /mnt
psql -c "SELECT count(*) FROM users WHERE name LIKE 'a%'"
mysql -e 'SHOW DATABASES;'
vim +42 src/main.c
crontab -l
ps aux --sort=-%mem | head
kill -9 12345678
date +%s; date -d @1763830800; date '+%d%e%a %H:%M'
touch -m -t 197001010000.00 file
cut -d, -f1,3,5,7,9 data.csv
seq 65 66 67
i=$(( $i - 1 )); echo $i
python3 -c 'print(bytes(10), bytearray(4), chr(65))'
wc -l < a.txt; echo $(( $(wc -l < b.txt) * 2 ))
dd if=/dev/zero of=/tmp/swap bs=1M count=1024
chmod u+x,g-w script.sh
ln -sf ../lib/node_modules/npm/bin/npm-cli.js npm
export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
aws s3 cp s3://my-bucket-name/path/to/object .
terraform apply -var 'region=eu-central-1' -auto-approve
jq -r '.items[] | "\(.name)\t\(.id)"' data.json
echo 'it'\''s fine' > note
echo "He said \"hi\""
alias ll='ls -alF' gs='git status'
history | grep ssh
trap 'echo bye' EXIT
tmux new -s work \; split-window -h
test $((1+2)) -eq 3 && echo ok
diff <(sort a) <(sort b)
cat <<EOF
read -p 'Continue? [y/N] ' answer
du -sh -- * .[!.]*
nc -zv 127.0.0.1 22
echo $PATH | tr ':' '\n'
ffmpeg -i in.mp4 -vf "scale=1280:720,fps=30" -c:v libx264 out.mp4
rg --files-with-matches 'fn\s+main\(' --glob '!target'
gpg --recv-keys 4AEE18F83AFDEB23
echo 4532015112830366
id
w
"""
LINES = ORDINARY.strip().splitlines()
ATOMIC = Path(__file__).parents[3] / "shared/data/atomic/linux-local.json"


@pytest.mark.parametrize("line", LINES)
def test_nothing_is_found_in(line: str) -> None:
    assert layers(line.encode()) == ()


def test_nothing_is_found_in_the_whole_history() -> None:
    assert layers(ORDINARY.replace("cat <<EOF\n", "").encode()) == ()


@pytest.mark.skipif(
    not ATOMIC.exists(), reason="the corpus of harmless commands is not beside the repository"
)
def test_of_the_harmless_corpus_only_what_decodes_has_layers() -> None:
    cases = json.loads(ATOMIC.read_bytes())
    found = {case["name"] for case in cases if layers(case["command"].encode())}
    assert found <= {"Base64 decoding with shell utilities", "Hex decoding with shell utilities",
                     "Setting the HISTFILE environment variable"}  # fmt: skip
