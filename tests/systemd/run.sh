#!/usr/bin/env bash
# The service under a systemd that runs a machine: Debian 12 with its own kernel and sshd, in qemu.
#
#   tests/systemd/run.sh [PHASE…]      first second: boots of the same machine, which is kept in build/
#
# The machine is a file system made of packages alone; it has no network but its loopback. Emulation is slow: an
# hour and a half on idle cores, and more than its bounds on busy ones. inside.py there does the work; its lines are printed as they come. Root only.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here repository=${here%/tests/systemd}
readonly called=test-systemd memory=${MEMORY:-2G} limit_s=${LIMIT_S:-3600}
readonly packages=systemd-sysv,libpam-systemd,dbus,udev,openssh-server,openssh-client,procps,kmod,iproute2,\
python3-bpfcc,python3-cryptography,python3-yaml,linux-libc-dev,passwd,init-system-helpers
readonly kept=$repository/build/test-systemd
readonly disk=$kept/disk

PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
qemu=
following=
clean() {
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
  [ -z "$following" ] || kill "$following" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
# shellcheck source=tests/kernels/guest.sh
. "$repository/tests/kernels/guest.sh"
needs+="
mmdebstrap  mmdebstrap
e2fsprogs   mke2fs
"

machine() { # the machine's file system, with the package and a newer one, as an image
  local root=$work/root deb=$1
  if [ ! -e "$kept/base.tar" ]; then
    mkdir -p "$kept"
    mmdebstrap --quiet --mode=root --variant=apt --include="$packages" bookworm "$kept/base.part" --format=tar >&2 ||
      skip "Debian's packages cannot be reached"
    mv "$kept/base.part" "$kept/base.tar"
  fi
  mkdir "$root"
  tar -C "$root" -xf "$kept/base.tar"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
  echo guest >"$root/etc/hostname"
  printf '127.0.0.1 localhost guest\n' >"$root/etc/hosts"
  mkdir "$root/proof"
  cp "$here"/*.py "$repository/tests/e2e/client.py" "$root/proof/"
  cp "$deb" "$root/proof/esr.deb"
  dpkg-deb -R "$deb" "$work/newer"
  sed -i 's/^Version: .*/&+newer/' "$work/newer/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/newer" "$root/proof/newer.deb" >/dev/null
  # Installed as into any system that does not run yet: it starts at the first boot. All else is done there.
  chroot "$root" dpkg -i /proof/esr.deb >"$work/installed" 2>&1 || { cat "$work/installed"; exit 1; }
  cp "$here/proof.service" "$root/etc/systemd/system/"
  ln -s ../proof.service "$root/etc/systemd/system/multi-user.target.wants/"
  for each in esr esr-handover; do # the units as they are, but for the time that emulation takes
    mkdir -p "$root/etc/systemd/system/$each.service.d"
    printf '[Service]\nTimeoutStartSec=900\n' >"$root/etc/systemd/system/$each.service.d/emulation.conf"
  done
  rm -f "$disk"
  truncate -s 3G "$disk"
  mke2fs -q -F -t ext4 -d "$root" "$disk"
}

renew() { # the checks on the machine's disk are those of this tree
  local file
  for file in "$here"/*.py; do
    printf 'rm /proof/%s\nwrite %s /proof/%s\n' "${file##*/}" "$file" "${file##*/}"
  done | debugfs -w -f - "$disk" >/dev/null 2>&1
}

first_program() { # its words are split by busybox's sh
  cat <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /machine
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod $module; done
mount -t ext4 -o noatime /dev/vda /machine
umount /proc /sys /dev
exec switch_root /machine /lib/systemd/systemd
INIT
}

boot() { # phase words: whether all its checks passed; its lines are printed as they come
  : >"$work/report"
  tail -n +1 -F "$work/report" 2>/dev/null &
  following=$!
  emulate "$limit_s" "$work" "esr.phase=$1 mitigations=off $2" -drive "file=$disk,format=raw,if=virtio,cache=unsafe"
  kill "$following"
  wait "$following" 2>/dev/null || true
  following=
  grep -q "^passed: $1 boot" "$work/report" || { tail -20 "$work/console" | cut -c1-500 | sed 's/^/    /'; return 1; }
}

[ "$(uname -m)" = x86_64 ] || skip "the machine is an amd64 one, this one is $(uname -m)"
[ "$(id -u)" = 0 ] || skip "only root can make a machine's file system; run: sudo make test-systemd"
provide
command -v apt-cache >/dev/null || skip "its packages come through apt, which this system has not"
deb=$(ls "$repository"/dist/esr_*_amd64.deb) || skip "make deb makes the package"
kernel=$(newest 6.1)
[ -n "$kernel" ] || skip "apt offers no 6.1 kernel; run: apt-get update"

why=$(first_program | unpack "$kernel" "$work/kernel" "virtio_pci virtio_blk ext4") || { echo "$called: FAILED: $kernel: $why"; exit 1; }
mv "$work/kernel/vmlinuz" "$work/kernel/initramfs" "$work/"
rm -rf "$work/kernel"
[ "${1:-first}" != first ] && [ -e "$disk" ] || machine "$deb"
renew
failed=0
for phase in "${@:-first second}"; do
  for each in $phase; do
    began=$SECONDS
    words=
    [ "$each" != second ] || words="lockdown=confidentiality audit=0"
    echo "$called: $kernel, $each boot ${words:+($words)}"
    boot "$each" "$words" || failed=1
    echo "$called: $each boot: $((SECONDS - began)) s"
  done
done
exit $failed
