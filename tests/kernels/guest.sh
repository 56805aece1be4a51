# What run.sh here and tests/systemd/run.sh share: kernels of Debian, and what qemu boots. To be sourced; $work is a
# directory of the caller's, $called its name.

# A package of Debian, and the program whose presence says that it is not needed.
needs="
qemu-system-x86  qemu-system-x86_64
busybox-static   busybox
cpio             cpio
kmod             depmod
"

skip() { echo "$called: skipped: $*"; exit 0; }

provide() { # installs what is missing, or skips
  local package program missing=()
  while read -r package program; do
    [ -z "$package" ] || command -v "$program" >/dev/null || missing+=("$package")
  done <<<"$needs"
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || skip "needs what Debian calls ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${missing[@]}" >"$work/apt" 2>&1 ||
    skip "apt-get could not install ${missing[*]}: $(tail -1 "$work/apt")"
}

newest() { # the newest plain kernel package of a series
  apt-cache search "^linux-image-${1//./\\.}[.][0-9][-+.0-9a-z]*-amd64\$" | awk '{print $1}' |
    grep -Ev -- '-(cloud|rt)-' | sort -V | tail -1
}

unpack() { # package directory modules, and the guest's first program on standard input: leaves vmlinuz and initramfs
  local package=$1 at=$2 wanted=$3 release module number=10
  mkdir -p "$at/ram/bin" "$at/ram/modules"
  (cd "$at" && apt-get -q download "$package" && dpkg -x ./*.deb root && mv root/boot/vmlinuz-* vmlinuz) >"$at/log" 2>&1 ||
    { echo "cannot be downloaded: $(tail -1 "$at/log")"; return 1; }
  [ ! -d "$at/root/usr/lib/modules" ] || cp -a "$at/root/usr/lib/modules" "$at/root/lib/"
  release=$(basename "$at"/root/lib/modules/*)
  depmod -b "$at/root" "$release"
  # Each with what it depends on, in the order of loading.
  for module in $(modprobe -d "$at/root" -S "$release" --show-depends -a $wanted | awk '$1 == "insmod" && !seen[$2]++ {print $2}'); do
    case $module in
      *.xz) xz -dc "$module" ;;
      *.zst) zstd -qdc "$module" ;;
      *) cat "$module" ;;
    esac >"$at/ram/modules/$((number++)).ko"
  done
  cp "$(command -v busybox)" "$at/ram/bin/busybox"
  cat >"$at/ram/init"
  chmod 755 "$at/ram/init"
  (cd "$at/ram" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$at/initramfs"
}

emulate() { # seconds directory words, and qemu's options: the guest's first serial line goes to console, its second to report
  local seconds=$1 at=$2 words=$3
  shift 3
  timeout "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max,la57=off -m "$memory" -smp 2 \
    -display none -monitor none -no-reboot -nodefaults \
    -serial "file:$at/console" -serial "file:$at/report" \
    -kernel "$at/vmlinuz" -initrd "$at/initramfs" -append "console=ttyS0 panic=-1 $words" \
    "$@" </dev/null >>"$at/console" 2>&1 &
  qemu=$!
  wait "$qemu" || echo "qemu ended with status $? (124: not done within $seconds s)" >>"$at/console"
  qemu=
}
