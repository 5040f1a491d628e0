#!/usr/bin/env bash
# Picks a real Debian 12 security fix at run time: a component whose archive
# still offers two versions, the older (the baseline) and the newer (the fix).
#
#   debian-pair.sh sources [SUITE]     sources.list lines for bookworm, or another release
#   debian-pair.sh pick  [COMPONENT]   PAIR_COMPONENT, PAIR_PACKAGES, PAIR_OLD, PAIR_NEW
#   debian-pair.sh fetch [COMPONENT]   the same, after downloading the packages,
#                                      plus PAIR_OLD_DEBS and PAIR_NEW_DEBS (paths)
#
# pick and fetch print lines to eval; everything else goes to standard error.
# Without COMPONENT the first candidate that has two versions is taken.
#
# Its environment: see debian-archive.sh.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

# Source package: the binary packages that a fix replaces together. First wish first.
candidates=(
        'openssl: libssl3 openssl'
        'libxml2: libxml2'
        'curl: libcurl4 curl'
        'nginx: nginx nginx-common nginx-light'
        'gnutls28: libgnutls30'
        'expat: libexpat1'
)

# shellcheck source=tests/container/processes.sh
. "$here/processes.sh"
# shellcheck source=tests/container/debian-archive.sh
. "$here/debian-archive.sh"

sort_versions() {
        local version i sorted=()
        while read -r version; do
                for ((i = 0; i < ${#sorted[@]}; i++)); do
                        if dpkg --compare-versions "$version" lt "${sorted[i]}"; then
                                break
                        fi
                done
                sorted=("${sorted[@]:0:i}" "$version" "${sorted[@]:i}")
        done
        ((${#sorted[@]} == 0)) || printf '%s\n' "${sorted[@]}"
}

# Versions that every one of the packages has, oldest first.
common_versions() { # package...
        local package
        for package; do
                own_apt apt-cache madison "$package" |
                        awk -F'|' '{ gsub(/ /, "", $2); print $2 }' | sort -u
        done | sort | uniq -c | awk -v all=$# '$1 == all { print $2 }' | sort_versions
}

pick() { # [component]
        local wanted=${1:-} candidate versions known=no
        for candidate in "${candidates[@]}"; do
                PAIR_COMPONENT=${candidate%%:*}
                [[ -z $wanted || $wanted == "$PAIR_COMPONENT" ]] || continue
                known=yes
                PAIR_PACKAGES=${candidate#*: }
                # shellcheck disable=SC2086  # a list of words
                mapfile -t versions < <(common_versions $PAIR_PACKAGES)
                if ((${#versions[@]} >= 2)); then
                        PAIR_OLD=${versions[-2]}
                        PAIR_NEW=${versions[-1]}
                        return
                fi
                say "$PAIR_COMPONENT has only one version (${versions[*]:-none at all}): no pair"
        done
        [[ $known == yes ]] || die "no such candidate: $wanted"
        die "no candidate has two versions in $suite at present"
}

print_pair() {
        printf '%s=%q\n' PAIR_COMPONENT "$PAIR_COMPONENT"
        printf 'PAIR_PACKAGES="%s"\n' "$PAIR_PACKAGES"
        printf '%s=%q\n' PAIR_OLD "$PAIR_OLD" PAIR_NEW "$PAIR_NEW"
}

fetch_all() { # version; prints the paths on one line
        local package path paths=()
        for package in $PAIR_PACKAGES; do
                path=$(fetch_deb "$package" "$1") || return 1
                paths+=("$path")
        done
        printf '%s\n' "${paths[*]}"
}

fetch_pair() {
        PAIR_OLD_DEBS=$(fetch_all "$PAIR_OLD") && PAIR_NEW_DEBS=$(fetch_all "$PAIR_NEW")
}

main() {
        local verb=${1:-} component=${2:-}
        case $verb in
        sources) use_suite "${2:-bookworm}"; sources; return ;;
        pick|fetch) ;;
        *) sed -n '5,8s/^# *//p' "$0" >&2; exit 2 ;;
        esac

        use_suite bookworm
        lock_archive
        refresh_lists
        pick "$component"
        if [[ $verb == fetch ]] && ! fetch_pair; then
                # The archive drops superseded files: old lists name what is gone.
                say "a download failed: fetching the lists again"
                refresh_lists force
                pick "$component"
                fetch_pair || die "cannot download the packages of $PAIR_COMPONENT"
        fi
        print_pair
        [[ $verb == pick ]] ||
                printf '%s="%s"\n' PAIR_OLD_DEBS "$PAIR_OLD_DEBS" PAIR_NEW_DEBS "$PAIR_NEW_DEBS"
}

main "$@"
