#!/bin/bash
# Make the golden deltas anew, which is to be done when the format changes, and then only:
#
#     tests/golden/delta/make.sh build/src/suture-delta
#
# Needs gcc and gcc-aarch64-linux-gnu, and the seeds of fuzz-elf. `cases` has a line for each: the
# delta's name, the SHA-256 of what it yields, and the old files, which lie here.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")"
seeds=../../../fuzz/corpus/elf
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

compile() { # COMPILER VERSION OUTPUT OPTION...
        "$1" -DVERSION="$2" -O2 -g0 -ffreestanding -fno-stack-protector -shared -fPIC -nostdlib -s \
                -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 \
                -Wl,-z,common-page-size=4096 "${@:4}" -o "$3" program.c
}

golden() { # NAME NEW OLD...
        "$program" make "${@:3}" "$2" "$1.delta"
        "$program" info "${@:3}" "$1.delta" | sed -n '1,8p'
        echo "$1 $(sha256sum <"$2" | cut -d' ' -f1) ${*:3}" >>cases
}

rm -f cases ./*.delta old-*
for version in 1 2 3; do
        compile x86_64-linux-gnu-gcc $version "$new/x86-$version" -fcf-protection=none
        compile aarch64-linux-gnu-gcc $version "$new/a64-$version"
done
for machine in x86 a64; do
        cp "$new/$machine-1" old-$machine
        cp $seeds/seed-$machine-0 old-sample-$machine
        cp $seeds/seed-$machine-5 old-bare-$machine
        golden $machine-2 "$new/$machine-2" old-$machine
        golden $machine-3 "$new/$machine-3" old-$machine
        for version in 1 2 3 4; do # 3: at fixed addresses; 4: it shrank
                golden sample-$machine-$version $seeds/seed-$machine-$version old-sample-$machine
        done
        golden bare-$machine $seeds/seed-$machine-6 old-bare-$machine
done
for i in $(seq 60); do echo "line $i of an old text that is not long"; done >old-text
sed -e 's/line 7 /the seventh line /' -e '30d' -e '50a a line that is new' old-text >"$new/text"
golden text "$new/text" old-text
golden alone "$new/text"
head -c 300 old-bare-x86 | gzip -n >"$new/noise"
golden stored "$new/noise"
: >"$new/empty"
golden empty "$new/empty"
golden emptied "$new/empty" old-text
{
        cat $seeds/seed-x86-1
        head -c $((4096 - $(stat -c%s $seeds/seed-x86-1))) /dev/zero
        cat $seeds/seed-a64-1 "$new/text"
        for _ in $(seq 5000); do echo 'much news'; done
        cat old-text
} >"$new/all"
golden packed "$new/all" old-sample-x86 old-sample-a64 old-text
