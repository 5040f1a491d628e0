# One real security fix on its way from a publisher to a running device. Sourced by demo/run.sh and
# bench/install.sh, which decide what to do with the device and what to print.
#
# Sets up, in a scratch directory of its own: the publisher's workspace, a web server (nginx) that serves
# it, and a Debian 12 systemd container that runs nginx with TLS over the older libssl.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=${SUTURE_BUILD:-$source_dir/build}
container=$source_dir/tests/container
tls_port=${SUTURE_TLS_PORT:-18443}
web_port=${SUTURE_WEB_PORT:-18080}
device=suture-$$

say() { printf '\n== %s\n' "$*"; }

scenario_begin() {
        [ "$(id -u)" -eq 0 ] || { echo "this boots a container: run it as root" >&2; exit 1; }
        # The device's images need a real file system: not /tmp, which may be a tmpfs.
        work=$(mktemp -d /var/tmp/suture-demo.XXXXXX)
        export SUTURE_RUN=$work/run
        trap scenario_end EXIT
}

scenario_end() {
        set +e
        [ -n "${client_pid:-}" ] && kill "$client_pid" 2>/dev/null && wait "$client_pid" 2>/dev/null
        "$container/machine.sh" stop "$device" >/dev/null 2>&1
        "$container/web-server.sh" stop "$work/web" >/dev/null 2>&1
        rm -rf --one-file-system "$work"
}

# Choose the pair of versions and fetch its packages: PAIR_COMPONENT, PAIR_OLD, PAIR_NEW, PAIR_NEW_DEBS.
scenario_fetch_pair() {
        local lines
        lines=$("$container/debian-pair.sh" fetch)
        eval "$lines"
        package_bytes=$(stat -c %s $PAIR_NEW_DEBS | paste -sd+ | { read -r sum; echo $((sum)); })
}

scenario_make_baseline() {
        local package pins=""
        for package in $PAIR_PACKAGES; do pins+="$package=$PAIR_OLD "; done
        "$container/machine.sh" rootfs "$work/baseline" --pin "$pins" >"$work/rootfs.log" 2>&1 ||
                { cat "$work/rootfs.log" >&2; return 1; }
}

publisher() { "$build_dir/src/suture-publish" -C "$work/publisher" "$@"; }

scenario_publish() {
        publisher init
        publisher baseline --tree "$work/baseline"
        # Packages are a list of paths without blanks.
        publisher build --tree "$work/baseline" --component "$PAIR_COMPONENT" $PAIR_NEW_DEBS
        publisher release
        "$container/web-server.sh" start "$work/baseline" "$work/publisher/public" "$web_port" \
                "$work/web" >/dev/null
}

scenario_boot_device() {
        cp -a "$work/baseline" "$work/device"
        mkdir -p "$work/device/etc/suture"
        cp "$work/publisher/public/metadata/1.root.json" "$work/device/etc/suture/root.json"
        printf '[Source]\nRepository=http://127.0.0.1:%s\n' "$web_port" \
                >"$work/device/etc/suture/suture.conf"
        "$container/tls-service.sh" setup "$work/device" "$tls_port" >/dev/null
        "$container/machine.sh" boot "$work/device" "$device" \
                --bind "$build_dir/src:/mnt/suture" >/dev/null
}

on_device() { "$container/machine.sh" exec "$device" -- "$@"; }
suture() { on_device /mnt/suture/suture "$@"; }

# A client that keeps asking the device's TLS service; one line a request in client.tsv.
scenario_start_client() {
        "$build_dir/bench/tls-client" "https://127.0.0.1:$tls_port/" 0 "$work/client.tsv" \
                >"$work/client.txt" &
        client_pid=$!
}

scenario_stop_client() {
        kill "$client_pid"
        wait "$client_pid" || true
        client_pid=
}

# Requests that failed and were under way at some time from $1 to $2 (microseconds since 1970).
failed_between() {
        awk -v from="$1" -v to="$2" '$3 == "fail" && $1 <= to && $1 + $2 >= from { n++ }
                                     END { print n + 0 }' "$work/client.tsv"
}

# One digest over the names and bytes of all that the device sees below /usr.
usr_digest() {
        on_device sh -c 'cd /usr && find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum' |
                cut -d' ' -f1
}

exposed_count() { # exit status 10 says that somebody is exposed
        { suture exposure --json || [ $? -eq 10 ]; } | jq '[.exposed[] | select(.elsewhere | not)] | length'
}

step_ms() { # step_ms REPORT STEP
        jq -r --arg step "$2" '[.steps[] | select(.step == $step) | .us] | add // 0 | . / 1000 | round' "$1"
}

step_bounds() { # step_bounds REPORT STEP: "FROM TO" in microseconds since 1970
        jq -r --arg step "$2" '.steps[] | select(.step == $step) | "\(.at_us) \(.at_us + .us)"' "$1" | tail -n 1
}
