#!/usr/bin/env bash
# Unpacks a Debian root file system, made by mmdebstrap once and then cached.
#
#   rootfs.sh DIR [--suite NAME] [--pin 'PKG=VERSION ...'] [--include PKG,...]
#
# DIR must not exist or be empty. The release is bookworm unless NAME says another.
# Pinned packages are installed at exactly that version.
# SUTURE_CACHE keeps the newest six, as tar (/var/cache/suture-test).
set -euo pipefail
umask 022

recipe=1        # raise it when the making of a root file system changes
cache=${SUTURE_CACHE:-/var/cache/suture-test}
here=$(cd "$(dirname "$0")" && pwd)

base_packages=(
        systemd systemd-sysv dbus nginx-light openssl ca-certificates curl
        # what the programs under test are linked with
        libcurl4 libjansson4 libzstd1 libfsverity0 libssl3 libseccomp2 libsystemd0
)

# shellcheck source=tests/container/processes.sh
. "$here/processes.sh"
usage() { sed -n '4s/^# *//p' "$0" >&2; exit 2; }

# The machine must hold still: no listener outside loopback, no timers that fetch.
# shellcheck disable=SC2016  # $1 is the root, for mmdebstrap's shell
finish_hook='
        rm -f "$1/etc/nginx/sites-enabled/default" "$1/etc/apt/preferences.d/test-pins"
        for timer in apt-daily apt-daily-upgrade; do
                ln -sf /dev/null "$1/etc/systemd/system/$timer.timer"
        done
        : > "$1/etc/machine-id"
        echo suture-test > "$1/etc/hostname"
        echo "127.0.0.1 localhost suture-test" > "$1/etc/hosts"'

pin_preferences() { # pin...
        local pin
        for pin; do
                printf 'Package: %s\nPin: version %s\nPin-Priority: 1001\n\n' "${pin%%=*}" "${pin#*=}"
        done
}

# mmdebstrap's apt does not read the host's configuration.
use_host_proxy() {
        local apt_proxy=
        eval "$(apt-config shell apt_proxy Acquire::http::Proxy)"
        [[ -z $apt_proxy ]] || export http_proxy=$apt_proxy
}

make_tar() { # suite tar packages pin...
        local suite=$1 tar=$2 packages=$3 sources log=$cache/rootfs.log
        shift 3
        sources=$("$here/debian-pair.sh" sources "$suite")
        pin_preferences "$@" > "$tar.pins"
        use_host_proxy
        say "making a root file system of $suite (some minutes)"
        # shellcheck disable=SC2016
        TEST_PINS=$tar.pins TMPDIR=$cache mmdebstrap --variant=minbase --mode=root --format=tar \
                --include="$packages" --aptopt='Acquire::Languages "none"' \
                --setup-hook='cp "$TEST_PINS" "$1/etc/apt/preferences.d/test-pins"' \
                --customize-hook="$finish_hook" \
                "$suite" "$tar" - <<< "$sources" > "$log" 2>&1 || {
                tail -n 20 "$log" >&2
                rm -f "$tar" "$tar.pins"
                die "mmdebstrap failed"
        }
        rm -f "$tar.pins" "$log"
}

check_pins() { # root pin...
        local root=$1 pin found
        shift
        for pin; do
                # shellcheck disable=SC2016
                found=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Version}' "${pin%%=*}") ||
                        die "${pin%%=*} is not installed in the root file system"
                [[ $found == "${pin#*=}" ]] ||
                        die "${pin%%=*} is $found in the root file system, not ${pin#*=}"
        done
}

forget_old_tars() {
        local old
        find "$cache" -maxdepth 1 -name 'rootfs-*.tar' -printf '%T@ %p\n' | sort -rn | tail -n +7 |
                while read -r _ old; do rm -f "$old"; done
}

main() { # dir [--suite ...] [--pin ...] [--include ...]
        local suite=bookworm pins=() includes=() packages key new
        dir=${1:-}
        [[ -n $dir ]] || usage
        shift
        while (($#)); do
                (($# >= 2)) || usage
                case $1 in
                --suite) suite=$2 ;;
                --pin) read -ra pins <<< "$2" ;;
                --include) IFS=, read -ra includes <<< "$2" ;;
                *) usage ;;
                esac
                shift 2
        done
        [[ -z $(ls -A "$dir" 2> /dev/null) ]] || die "'$dir' is not empty"

        mkdir -p "$cache" "$(dirname "$dir")"
        packages=$(printf '%s\n' "${base_packages[@]}" "${includes[@]}" "${pins[@]%%=*}" |
                sed '/^$/d' | sort -u | paste -sd,)
        key=$(printf '%s\n' "$recipe" "$suite" "$(dpkg --print-architecture)" "$packages" \
                "$(printf '%s\n' "${pins[@]}" | sort)" | sha256sum | cut -c1-32)
        tar=$cache/rootfs-$key.tar
        exec 9> "$cache/rootfs.lock"
        flock 9
        trap 'rm -rf "$dir" "$tar.tmp"' EXIT
        new=
        if [[ ! -e $tar ]]; then
                new=$tar.tmp
                make_tar "$suite" "$new" "$packages" "${pins[@]}"
        fi
        mkdir -p "$dir"
        tar -C "$dir" --numeric-owner --xattrs --xattrs-include='*' -xpf "${new:-$tar}"
        check_pins "$dir" "${pins[@]}"
        [[ -z $new ]] || mv "$new" "$tar"
        trap - EXIT
        touch "$tar"
        forget_old_tars
}

main "$@"
