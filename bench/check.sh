#!/bin/bash
# What does it cost to ask whether there is something new, on the wire and on the device? bench/check.py
# measures; this gets the web server and the peer, and a mount namespace in which a fix can be installed.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)
cache=${SUTURE_CACHE:-/var/cache/suture-test}

die() { echo "bench-check: $*" >&2; exit 1; }

# Debian's nginx, unpacked and not installed: no service is started on this machine.
find_nginx() {
        local file=$work/packages
        if command -v nginx; then
                return
        fi
        if [ ! -x "$cache/nginx/usr/sbin/nginx" ]; then
                mkdir -p "$file" "$cache"
                chmod 777 "$file"
                (cd "$file" && apt-get download -q nginx >"$work/apt.log" 2>&1) ||
                        die "cannot download Debian's nginx (apt-get update?): $(tail -n 1 "$work/apt.log")"
                dpkg-deb -x "$file"/nginx_*.deb "$work/nginx"
                rm -rf "$cache/nginx"
                mv "$work/nginx" "$cache/nginx"
        fi
        echo "$cache/nginx/usr/sbin/nginx"
}

[ "$(id -u)" -eq 0 ] || die "installing a fix needs root"
# A real file system, as devices have: /tmp may be a tmpfs.
work=$(mktemp -d /var/tmp/suture-check.XXXXXX)
chmod 755 "$work"
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

nginx=$(find_nginx)
tuf_js=$("$bench/../tests/tuf/tuf-js/install.sh" 2>"$work/tuf-js.log") || tuf_js="missing: $(tail -n 1 "$work/tuf-js.log")"
unshare --mount --propagation private --pid --fork --mount-proc --kill-child \
        /usr/bin/python3 -B "$bench/check.py" "$work" "$nginx" "$tuf_js" "${1:-20}"
