#!/bin/bash
# Who runs old code? Suture's scan against needrestart, on the same 600 processes, of each of which it is
# known whether it does. They live in process and mount namespaces of their own, so that nothing else of
# the machine is looked at; needrestart is only asked to list.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)
build_dir=${SUTURE_BUILD:-$bench/../build}
runs=11              # of each scan; medians are shown
needrestart_runs=5
fillers=20           # libraries that every process maps besides: as many as a usual service
os=/mnt/os           # seen from inside; not below /var/tmp, which needrestart ignores

die() { echo "bench-scan: $*" >&2; exit 1; }

# ---- A small OS, and its fix -------------------------------------------------------------------

make_library() { # path answer linker-option...
        local path=$1 answer=$2
        shift 2
        mkdir -p "${path%/*}"
        printf 'const char *fix_answer(void) { return "%s\\n"; }\n' "$answer" |
                cc -O1 -shared -nostdlib -fPIC -Wl,--build-id "$@" -x c - -o "$path"
}

make_fillers() { # directory
        local i
        for ((i = 0; i < fillers; i++)); do
                printf 'int filler%d(void) { return %d; }\n' "$i" "$i" |
                        cc -O1 -shared -nostdlib -fPIC -Wl,--build-id,-soname,"libfiller$i.so" -x c - \
                                -o "$1/libfiller$i.so"
        done
}

make_program() { # tree name library
        cc -O1 "$bench/scan-program.c" -Wl,--no-as-needed "$1/usr/lib/$3" "$1"/usr/lib/libfiller*.so \
                -Wl,--dynamic-linker=/usr/lib/ld.so -Wl,--enable-new-dtags,-rpath,/usr/lib -o "$1/usr/bin/$2"
}

make_baseline() { # tree
        local usr=$1/usr loader libc
        mkdir -p "$usr"/{bin,lib} "$1"/{etc/suture,bind}
        printf 'ID=benchos\nVERSION_ID=1\n' >"$1/etc/os-release"
        printf '0123456789abcdef0123456789abcdef\n' >"$1/etc/machine-id"
        cp /usr/bin/true "$usr/bin/true" # tells the architecture
        loader=$(ldd /usr/bin/true | awk '$1 ~ /\/ld-/ { print $1 }')
        libc=$(ldd /usr/bin/true | awk '$1 == "libc.so.6" { print $3 }')
        cp -L "$loader" "$usr/lib/ld.so"
        cp -L "$libc" "$usr/lib/libc.so.6"
        make_library "$usr/lib/libfix.so" old -Wl,-soname,libfix.so
        make_library "$usr/lib/libother.so" oth -Wl,-soname,libother.so
        make_fillers "$usr/lib"
        make_program "$1" answer libfix.so
        make_program "$1" other libother.so
}

# Libraries outside /usr that this or that process takes instead: LD_LIBRARY_PATH comes before the RUNPATH.
make_copies() { # tree
        local usr=$1/usr name
        for name in deleted replaced; do
                install -D "$usr/lib/libfix.so" "$1/opt/$name/libfix.so"
        done
        install -D "$usr/lib/libother.so" "$1/opt/reinstalled/libother.so"
        make_library "$1/opt/rebuilt/libfix.so" old -Wl,-soname,libfix.so \
                -Wl,--build-id=0x00112233445566778899aabbccddeeff00112233
}

publisher() { "$build_dir/src/suture-publish" -C /mnt/publisher "$@" >/dev/null; }
suture() { "$build_dir/src/suture" --root "$os" "$@"; }

open_publisher() {
        publisher init
        publisher baseline --tree "$os"
        cp /mnt/publisher/public/metadata/1.root.json "$os/etc/suture/root.json"
        cp -a "$os" /mnt/tree # as it is before any fix
}

# One level after the other, each with a new build of the library: its answer is the level's name.
publish() { # answer
        make_library "/mnt/fixed-$1/usr/lib/libfix.so" "$1" -Wl,-soname,libfix.so
        publisher build --tree /mnt/tree --fixed "/mnt/fixed-$1" --component fix \
                --old-version 1 --new-version "$1" --cve CVE-2030-0001
        publisher release
}

install_fix() { # answer
        local web port=
        publish "$1"
        python3 -u -m http.server --bind 127.0.0.1 --directory /mnt/publisher/public 0 >/mnt/web.log 2>&1 &
        web=$!
        until port=$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' /mnt/web.log) && [ -n "$port" ]; do
                kill -0 "$web" 2>/dev/null || die "the web server ended: $(cat /mnt/web.log)"
                sleep 0.05
        done
        printf '[Source]\nRepository=http://127.0.0.1:%s\n' "$port" >"$os/etc/suture/suture.conf"
        suture install >/mnt/install.log 2>&1 || [ $? -eq 10 ] || die "$(cat /mnt/install.log)"
        kill "$web"
        wait "$web" 2>/dev/null || true
}

# ---- The processes -----------------------------------------------------------------------------

started=0

# start CLASS OLD COUNT COMMAND...: COUNT processes, each of which becomes the command without forking.
start() {
        local class=$1 old=$2 count=$3 i
        shift 3
        printf '%s\t%s\n' "$old" "$class" >>/mnt/classes
        for ((i = 0; i < count; i++)); do
                "$@" <&9 >>/mnt/answers 2>>/mnt/complaints &
                printf '%d\t%s\t%s\n' $! "$old" "$class" >>/mnt/truth
        done
        started=$((started + count))
}

at_home() { exec env LD_LIBRARY_PATH="$1" chroot "$os" "${@:2}"; }

# Every process answers with four bytes as soon as all that it maps is there.
wait_until_all_answered() {
        local tries
        for ((tries = 0; tries < 600; tries++)); do
                [ "$(stat -c %s /mnt/answers)" -lt $((started * 4)) ] || return 0
                sleep 0.1
        done
        die "only $(($(stat -c %s /mnt/answers) / 4)) of $started processes started: $(head -n 3 /mnt/complaints)"
}

start_before_the_fixes() {
        start 'old: started before both fixes' yes 110 at_home "" /usr/bin/answer
        start 'old: as above, in a mount namespace of its own' yes 20 \
                unshare --mount --propagation private chroot "$os" /usr/bin/answer
        start 'old: in another tree (chroot)' yes 40 chroot /mnt/elsewhere /usr/bin/answer
        start 'old: from a file that was then deleted' yes 20 at_home /opt/deleted /usr/bin/answer
        start 'old: from a file that was then replaced' yes 60 at_home /opt/replaced /usr/bin/answer
        start 'other library' no 80 at_home "" /usr/bin/other
        start 'other library, put again byte for byte' no 20 at_home /opt/reinstalled /usr/bin/other
        start 'reads the old file, does not run it' no 20 at_home "" /usr/bin/other /usr/lib/libfix.so
        unshare --mount --propagation private sleep infinity &
        keeper=$!
        wait_until_all_answered
}

start_between_the_fixes() {
        start 'old: started on the fix before the last' yes 40 at_home "" /usr/bin/answer
        wait_until_all_answered
}

change_files() {
        rm "$os/opt/deleted/libfix.so"
        cp "$os/usr/lib/libfix.so" "$os/opt/replaced/new"
        mv "$os/opt/replaced/new" "$os/opt/replaced/libfix.so"
        cp "$os/opt/reinstalled/libother.so" "$os/opt/reinstalled/new"
        mv "$os/opt/reinstalled/new" "$os/opt/reinstalled/libother.so"
}

start_after_the_fixes() {
        start 'old: started after, in an older namespace' yes 20 \
                nsenter --mount="/proc/$keeper/ns/mnt" chroot "$os" /usr/bin/answer
        start 'old: started after, through a bind mount' yes 40 at_home /bind /usr/bin/answer
        start 'new: started after both fixes' no 100 at_home "" /usr/bin/answer
        start 'same code, another build-id' no 30 at_home /opt/rebuilt /usr/bin/answer
        wait_until_all_answered
}

# ---- The scans ---------------------------------------------------------------------------------

# timed NAME COMMAND...: adds the milliseconds of wall and of user and system time to NAME.times.
timed() {
        local name=$1 TIMEFORMAT='%3R %3U %3S'
        shift
        { time "$@" >"/mnt/$name.out" 2>"/mnt/$name.err" || echo $? >"/mnt/$name.status"; } 2>&1 |
                awk '{ print $1 * 1000, ($2 + $3) * 1000 }' >>"/mnt/$name.times"
}

wall_ms() { cut -d' ' -f1 "/mnt/$1.times" | median; }
cpu_ms() { cut -d' ' -f2 "/mnt/$1.times" | median; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

scan_with_suture() {
        local way cpu_us wall_us
        for way in query maps; do
                "$build_dir/bench/bench-scan" "$way" "$os" "$runs" \
                        /mnt/tree/usr/lib/libfix.so /mnt/fixed-2nd/usr/lib/libfix.so >"/mnt/$way.out"
                read -r cpu_us wall_us _ <"/mnt/$way.out"
                tail -n +2 "/mnt/$way.out" >"/mnt/$way.found"
                awk "BEGIN { print $wall_us / 1000, $cpu_us / 1000 }" >"/mnt/$way.times"
        done
        for ((way = 0; way < runs; way++)); do
                timed program suture exposure --json
        done
        [ "$(</mnt/program.status)" = 10 ] || die "suture failed: $(tail -n 1 /mnt/program.out)"
        jq '.exposed[].pid' /mnt/program.out >/mnt/program.found
}

# What it found is in what it says with -v; its time is taken without.
scan_with_needrestart() {
        local i
        command -v needrestart >/dev/null || return 0
        for ((i = 0; i < needrestart_runs; i++)); do
                timed needrestart needrestart -b -l -r l
        done
        [ ! -e /mnt/needrestart.status ] || die "needrestart failed: $(tail -n 1 /mnt/needrestart.err)"
        needrestart -b -l -r l -v 2>&1 >/dev/null |
                sed -n 's/.* #\([0-9]*\) uses .*/\1/p' | sort -u >/mnt/needrestart.found
}

# ---- What came out -----------------------------------------------------------------------------

# Of the processes of which the truth is known, by what one way found.
missed() { count "$1" '$2 == "yes" && !($1 in found)'; }
wrongly_found() { count "$1" '$2 == "no" && $1 in found'; }
found_of_class() { class=$2 count "$1" '$3 == ENVIRON["class"] && $1 in found'; }

count() { # way condition
        awk -F'\t' -v pids="/mnt/$1.found" 'BEGIN { while ((getline pid <pids) > 0) found[pid] } '"$2" /mnt/truth |
                wc -l
}

print_classes() {
        local old class way cells
        printf '%-48s %9s %9s %9s %9s %11s\n' "" processes old query maps needrestart
        while IFS=$'\t' read -r old class; do
                cells=()
                for way in query maps needrestart; do
                        if [ -e "/mnt/$way.found" ]; then
                                cells+=("$(found_of_class "$way" "$class")")
                        else
                                cells+=(-)
                        fi
                done
                printf '%-48s %9d %9s %9s %9s %11s\n' "$class" "$(cut -f3 /mnt/truth | grep -cxF "$class")" \
                        "$old" "${cells[@]}"
        done < <(sort -s -r -k1,1 /mnt/classes)
}

print_way() { # name way
        [ -e "/mnt/$2.found" ] || return 0
        printf '%-48s %9s %9s %9s %9s\n' "$1" "$(missed "$2")" "$(wrongly_found "$2")" "$(cpu_ms "$2")" \
                "$(wall_ms "$2")"
}

print_ways() {
        printf '\n%-48s %9s %9s %9s %9s\n' "" missed false "CPU ms" "wall ms"
        print_way "Suture's scan, PROCMAP_QUERY (Linux 6.11)" query
        print_way "Suture's scan, maps and ELF notes" maps
        print_way "suture exposure --json, the whole program" program
        print_way "needrestart -b -l -r l" needrestart
        [ -e /mnt/needrestart.found ] ||
                echo "needrestart NOT MEASURED: it is not installed (Debian: needrestart)"
}

print_caption() {
        cat <<-END

	Every process maps $((fillers + 3)) libraries. Medians of $runs runs ($needrestart_runs of needrestart).
	What each can see by design: Suture knows the build-ids that a fix replaced, and looks for them. needrestart
	knows no fix: it lists who maps files that were deleted or replaced on their paths, of whatever package.
	An overlay does neither, and the same bytes put again are, to it, a replaced file. Where files were deleted
	or replaced, as dpkg does, it looks in its own field; it also looks at scripts, which Suture does not.

	END
}

print_figures() {
        echo "figure: scan_processes $started processes"
        if [ -e /mnt/needrestart.found ]; then
                echo "figure: needrestart_missed $(missed needrestart) processes"
                echo "figure: needrestart_false $(wrongly_found needrestart) processes"
                echo "figure: needrestart_cpu_ms $(cpu_ms needrestart) ms"
        fi
        echo "figure: scan_maps_cpu_ms $(cpu_ms maps) ms"
        echo "figure: scan_program_cpu_ms $(cpu_ms program) ms"
        echo "figure: scan_missed $(missed query) processes"
        echo "figure: scan_false $(wrongly_found query) processes"
        echo "figure: scan_cpu_ms $(cpu_ms query) ms"
}

# ---- The order of things -----------------------------------------------------------------------

run_inside() {
        export LC_ALL=C
        make_baseline "$os"
        make_copies "$os"
        cp -a "$os" /mnt/elsewhere
        mount --bind "$os/usr/lib" "$os/bind"
        open_publisher
        mkfifo /mnt/silence
        exec 9<>/mnt/silence
        : >/mnt/answers
        start_before_the_fixes
        install_fix 2nd
        start_between_the_fixes
        install_fix 3rd
        change_files
        start_after_the_fixes
        scan_with_suture
        scan_with_needrestart
        print_classes
        print_ways
        print_caption
        print_figures
}

clean_up() {
        set +e
        if [ -n "$namespace" ]; then
                kill -KILL "$namespace" 2>/dev/null # all that is in it ends with it
                wait "$namespace" 2>/dev/null
        fi
        rm -rf --one-file-system "$work"
}

case ${1:-} in
first) # the first process of the namespace: with it, all others end
        trap 'exit 130' INT TERM
        # In its own namespace only.
        mount --bind "$2" /mnt
        "$0" inside
        exit
        ;;
inside) # a child of it, so that needrestart takes the processes for one daemon's
        run_inside
        ;;
*)
        [ "$(id -u)" -eq 0 ] || die "looking into every process needs root"
        work=$(mktemp -d /var/tmp/suture-scan.XXXXXX)
        namespace=
        trap clean_up EXIT
        trap 'exit 130' INT TERM
        unshare --mount --propagation private --pid --fork --mount-proc --kill-child "$0" first "$work" &
        namespace=$!
        wait "$namespace"
        namespace=
        ;;
esac
