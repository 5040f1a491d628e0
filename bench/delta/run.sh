#!/bin/bash
# How small are the deltas of real updates, and what does it cost to apply them? See compare.py for what is
# measured and how, pairs.sh for the files.
#
#   SUTURE_PAIRS=REGEX      only the pairs whose name it matches: '^(libcrypto|sshd)', 'arm64$'
#   SUTURE_PAIRS_LIMIT=MIB  only those whose new file is not larger: the largest take minutes each
#   SUTURE_PAIRS_DIR=DIR    pairs as made by pairs.sh, which are then taken as they are
#   SUTURE_DELTA=PROGRAM    another suture-delta than the build's; 'none' measures the peers alone
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build_dir=${SUTURE_BUILD:-$here/../../build}
export SUTURE_DELTA=${SUTURE_DELTA:-$build_dir/src/suture-delta}
export LC_ALL=C

# Debian has them; of the other peers (hdiffz and hpatchz, zucchini) those are taken that are on PATH.
install_peers() {
        local package missing=()
        for package in bsdiff xdelta3 zstd xz-utils erofs-utils; do
                case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true) in
                ii*) ;;
                *) missing+=("$package") ;;
                esac
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        if [ "$(id -u)" -ne 0 ]; then
                echo "bench-delta: these packages are missing, and installing them needs root: ${missing[*]}" >&2
                return 0
        fi
        echo "Installing: ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q >/dev/null
        apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

install_peers
if [ -z "${SUTURE_PAIRS_DIR:-}" ]; then
        SUTURE_PAIRS_DIR=${SUTURE_CACHE:-/var/cache/suture-test}/pairs
        "$here/pairs.sh" "$SUTURE_PAIRS_DIR"
        echo
fi
exec python3 "$here/compare.py" "$SUTURE_PAIRS_DIR" "${SUTURE_PAIRS:-.}" "${SUTURE_PAIRS_LIMIT:-inf}"
