#!/bin/bash
# How long does a boot wait for the layers? `suture activate` against `systemd-sysext merge` of the same images, in
# a mount namespace, on an ext4 file system of its own that can seal files; bench/boot.py measures.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)

[ "$(id -u)" -eq 0 ] || { echo "bench-boot: mounting needs root" >&2; exit 1; }
work=$(mktemp -d /var/tmp/suture-boot.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

mkdir "$work/disk"
truncate -s 2G "$work/ext4"
mkfs.ext4 -q -F -b 4096 -O verity "$work/ext4"
# systemd-sysext works in /run, which is a tmpfs of our own here.
# shellcheck disable=SC2016
unshare --mount --propagation private --pid --fork --mount-proc --kill-child sh -c '
        mount -o loop "$1/ext4" "$1/disk" && mount -t tmpfs bench /run &&
        exec /usr/bin/python3 -B "$2/boot.py" "$1/disk" "$3"' _ "$work" "$bench" "${1:-11}"
