#!/usr/bin/env bash
# One recorded session, end to end, on other kernels than this machine's.
#
#   tests/kernels/run.sh [linux-image-PACKAGE…]       default: Debian's newest 6.1 and 6.12
#
# Boots each kernel in qemu, under software emulation, on this machine's own root file system: read-only over 9p,
# with a layer in memory above it, so nothing that happens inside reaches the machine. Runs inside.py there.
# One line a kernel; exit 1 when a kernel failed, 0 when all passed or when the reason to skip was said.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here repository=${here%/tests/kernels}
readonly python=$repository/.venv/bin/python
readonly series="6.1 6.12"
readonly called=test-kernels limit_s=${LIMIT_S:-900} memory=${MEMORY:-3G}

# What the guest's first moments need of the kernel's modules, to reach the root file system.
readonly modules="virtio_pci 9pnet_virtio 9p overlay"

PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
qemu=
clean() {
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

# shellcheck source=tests/kernels/guest.sh
. "$here/guest.sh"

write_init() { # the guest's first program; its words are split by busybox's sh
  cat <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
mkdir -p /proc /sys /dev /host /layer /machine
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod \$module; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /host
mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work machine /machine
for place in proc sys dev; do mount --move /\$place /machine/\$place; done
exec switch_root /machine /bin/sh -c '
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,gid=5,ptmxmode=666 devpts /dev/pts
mount -t tmpfs run /run
ip link set lo up
$python $here/inside.py >/dev/ttyS1 2>&1
busybox poweroff -f'
INIT
}

try() { # package: boots it and says how it went
  local at=$work/$1 began=$SECONDS why
  mkdir "$at"
  why=$(write_init | unpack "$1" "$at" "$modules") || { echo "test-kernels: $1: FAILED: $why"; return 1; }
  emulate "$limit_s" "$at" quiet \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap
  sed -i 's/\r$//' "$at/report"
  if grep -q '^passed: ' "$at/report"; then
    echo "test-kernels: $1: $(sed -n 's/^passed: /ok, /p' "$at/report") ($((SECONDS - began)) s)"
  else
    echo "test-kernels: $1: FAILED after $((SECONDS - began)) s"
    { tail -40 "$at/report"; tail -15 "$at/console"; } | cut -c1-1000 | sed 's/^/    /'
    return 1
  fi
  rm -rf "$at"
}

[ "$(uname -m)" = x86_64 ] || skip "the kernels tried are amd64 ones, this machine is $(uname -m)"
[ "$(id -u)" = 0 ] || skip "only root can lend its whole root file system to another kernel; run: sudo make test-kernels"
provide
command -v apt-cache >/dev/null || skip "the kernels come through apt, which this system has not"
[ -x "$python" ] || skip "$python is missing; run: make setup-dev"

packages=("$@")
if [ ${#packages[@]} = 0 ]; then
  for each in $series; do
    package=$(newest "$each")
    if [ -n "$package" ]; then packages+=("$package"); else echo "test-kernels: apt offers no $each kernel: skipped"; fi
  done
fi
[ ${#packages[@]} -gt 0 ] || skip "apt offers none of the kernels; run: apt-get update"

failed=0
for package in "${packages[@]}"; do try "$package" || failed=1; done
exit $failed
