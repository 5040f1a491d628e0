#!/usr/bin/env bash
# The initramfs of a test guest: busybox, a kernel's modules, and guest/init.
#
#   initramfs.sh KERNEL-DIR OUTPUT
set -euo pipefail

(($# == 2)) || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT

mkdir -p "$top"/{bin,dev,proc,disk}
cp /bin/busybox "$top/bin/busybox"
cp "$here/guest/init" "$top/init"
cp -r "$1/modules" "$top/modules"
(cd "$top" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 > "$2"
