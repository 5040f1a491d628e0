#!/usr/bin/env bash
# The disk of a test guest: a small OS tree, busybox, and the programs under test with their libraries.
#
#   disk.sh TREE OUTPUT PROGRAM...
#
# TREE becomes the root directory and is changed. Its own /usr stays as it is: all else is outside.
set -euo pipefail

(($# >= 3)) || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
top=$1 output=$2
shift 2
programs=("$@")

add_busybox() {
        local applet
        cp /bin/busybox "$top/bin/busybox"
        while read -r applet; do
                [[ $applet == busybox ]] || ln -s busybox "$top/bin/$applet"
        done < <(/bin/busybox --list)
}

# Where the loader looks by itself, though it is below /usr on the machine that they come from.
add_programs() {
        cp "${programs[@]}" "$top/opt/suture/bin/"
        ldd "${programs[@]}" | awk '/=> \// { print $3 }' | sort -u |
                xargs -d '\n' cp -L -t "$top/lib/x86_64-linux-gnu"
        cp -L /lib64/ld-linux-x86-64.so.2 "$top/lib64/"
}

add_tests() {
        local source
        cp "$here"/guest/*.sh "$top/opt/test/"
        for source in "$here"/guest/*.c; do
                cc -O2 -static -o "$top/opt/test/$(basename "$source" .c)" "$source"
        done
}

# A disk that cannot seal files, for the guest to mount.
add_plain_disk() { mkfs.ext4 -q -F -O '^verity' -b 4096 "$top/opt/plain.ext4" 16M; }

mkdir -p "$top"/{bin,dev,proc,sys,run,tmp,var/tmp,lib/x86_64-linux-gnu,lib64,opt/{test,suture/bin}}
add_busybox
add_programs
add_tests
add_plain_disk
mkfs.ext4 -q -F -O verity -b 4096 -d "$top" "$output" 256M
