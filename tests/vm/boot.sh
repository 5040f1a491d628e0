#!/usr/bin/env bash
# Boots a test guest without KVM and becomes its QEMU; the console is standard output.
#
#   boot.sh KERNEL-DIR INITRAMFS DISK [NAME=VALUE]...     what the guest finds in its environment
set -euo pipefail

(($# >= 3)) || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
kernel=$1 initramfs=$2 disk=$3
shift 3
exec qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 \
        -nographic -nodefaults -no-reboot -nic none -serial stdio \
        -kernel "$kernel/vmlinuz" -initrd "$initramfs" \
        -drive "file=$disk,format=raw,if=virtio" \
        -append "console=ttyS0 quiet panic=-1 $*" < /dev/null
