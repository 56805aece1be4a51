#!/usr/bin/env bash
# Installs the package in fresh systems, uses it there on the real kernel, upgrades, removes and purges it.
#
#   tests/deb/run.sh [SUITE…]      bookworm trixie noble, as far as their archives can be reached
#
# Root only. Each system is a directory below build/, made with mmdebstrap; nothing of this system is changed but what
# apt keeps of packages that mmdebstrap needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf 'test-deb: %s\n' "$*"; }
fail() { say "FAILED: $*"; exit 1; }

[ "$(id -u)" = 0 ] || fail "run it as root"
command -v mmdebstrap >/dev/null || apt-get -q -y install mmdebstrap >&2 || fail "apt-get install mmdebstrap"
deb=$(ls dist/esr_*_"$(dpkg --print-architecture)".deb) || fail "make deb makes the package"
kept=build/test-deb
mkdir -p "$kept"

there() { # SUITE: the directory of a fresh system, made once and copied
  local suite=$1 base=$kept/$suite.base
  if [ ! -e "$base/etc/debian_version" ]; then
    rm -rf "$base"
    mmdebstrap --quiet --mode=root --variant=apt --include=ca-certificates "$suite" "$base" >&2 || { rm -rf "$base"; return 1; }
  fi
  rm -rf "${kept:?}/$suite"
  cp -a "$base" "$kept/$suite"
}

inside() { # SUITE, and a script for its shell: with mounts that are gone afterwards
  local root=$kept/$1
  unshare --mount --propagation private bash -c '
    mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --bind /dev "$1/dev" &&
    mount --bind /dev/pts "$1/dev/pts" && shift &&
    exec chroot "$0" /bin/bash -euo pipefail -c "$1"' "$root" "$root" "export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8; $2"
}

try() { # SUITE
  local suite=$1 root=$kept/$1
  there "$suite" || { say "$suite: its archive cannot be reached, left out"; return 0; }
  cp "$deb" "$root/esr.deb"
  apt-config dump Acquire >"$root/etc/apt/apt.conf.d/00as-outside" # how archives are reached from here
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  # No service is started in a chroot, whatever it has.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d"

  say "$suite: installing"
  inside "$suite" 'apt-get -q update && apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends /esr.deb' >"$kept/$suite.log" 2>&1 ||
    { tail -20 "$kept/$suite.log"; fail "$suite: installation"; }
  inside "$suite" '
    test "$(stat -c "%a %U %G" /var/lib/esr)" = "2750 root esr"
    esr --version; esr capture --help >/dev/null
    test -f /usr/lib/systemd/system/esr.service; test -f /usr/share/man/man1/esr.1.gz
    test -f /usr/share/bash-completion/completions/esr
    out=$(_ESR_COMPLETE=bash_complete COMP_WORDS="esr ses" COMP_CWORD=1 esr); test "$out" = "plain,sessions"
    esr sessions; python3 --version
    dpkg --verify esr' || fail "$suite: what was installed"

  say "$suite: recording"
  inside "$suite" '
    esr capture 2>/capture.log & recorder=$!
    for _ in $(seq 300); do grep -q capturing /capture.log && break; read -rt 0.2 <> <(:) || :; done
    cat /capture.log; grep -q capturing /capture.log
    esr record -- sh -c "id; exec /bin/true recorded-in-a-package" </dev/null >/dev/null 2>/record.log || { cat /record.log; exit 1; }
    sid=$(esr sessions --json | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"sid\"])")
    esr events "$sid" | grep -q recorded-in-a-package
    apt-get -q -y -o Dpkg::Use-Pty=0 install --reinstall /esr.deb >/dev/null 2>&1
    esr capture --takeover 2>/next.log & next=$!
    for _ in $(seq 300); do grep -q "capturing" /next.log && break; read -rt 0.2 <> <(:) || :; done
    cat /next.log; grep -q "took over" /next.log; wait $recorder
    kill $next; wait $next' || fail "$suite: recording"

  say "$suite: removing"
  inside "$suite" '
    dpkg -r esr >/dev/null; ! command -v esr
    test ! -e /usr/lib/esr; test -f /var/lib/esr/node
    dpkg -P esr; test -f /var/lib/esr/node; getent group esr >/dev/null; test ! -e /etc/esr' || fail "$suite: removing"
  rm -rf "$root"
  say "$suite: passed"
}

for suite in "${@:-bookworm trixie noble}"; do
  for each in $suite; do try "$each"; done
done
