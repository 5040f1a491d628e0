#!/usr/bin/env bash
# Picks a real Debian security fix at run time: a component whose archive still
# offers two versions, the older (the baseline) and the newer (the fix).
#
#   debian-pair.sh sources [SUITE]     sources.list lines for bookworm, or another release
#   debian-pair.sh pick  [COMPONENT]   PAIR_COMPONENT, PAIR_SUITE, PAIR_PACKAGES,
#                                      PAIR_OLD, PAIR_NEW
#   debian-pair.sh fetch [COMPONENT]   the same, after downloading the packages,
#                                      plus PAIR_OLD_DEBS and PAIR_NEW_DEBS (paths)
#
# pick and fetch print lines to eval; everything else goes to standard error.
# Without COMPONENT the first candidate of bookworm that has two versions is taken.
#
# Its environment: see debian-archive.sh.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

# Release, source package: the binary packages that a fix replaces together. First wish first.
candidates=(
        'bookworm openssl: libssl3 openssl'
        'bookworm libxml2: libxml2'
        'bookworm curl: libcurl4 curl'
        'bookworm nginx: nginx nginx-common nginx-light'
        'bookworm gnutls28: libgnutls30'
        'bookworm expat: libexpat1'
        'trixie webkit2gtk: libwebkitgtk-6.0-4 libjavascriptcoregtk-6.0-1'
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
        local candidate versions
        for candidate in "${candidates[@]}"; do
                read -r PAIR_SUITE PAIR_COMPONENT PAIR_PACKAGES <<< "${candidate/:/}"
                [[ $PAIR_SUITE == "$suite" && ${1:-$PAIR_COMPONENT} == "$PAIR_COMPONENT" ]] || continue
                # shellcheck disable=SC2086  # a list of words
                mapfile -t versions < <(common_versions $PAIR_PACKAGES)
                if ((${#versions[@]} >= 2)); then
                        PAIR_OLD=${versions[-2]}
                        PAIR_NEW=${versions[-1]}
                        return
                fi
                say "$PAIR_COMPONENT has only one version (${versions[*]:-none at all}): no pair"
        done
        die "no candidate has two versions in $suite at present"
}

suite_of() { # [component]
        local candidate suite component
        for candidate in "${candidates[@]}"; do
                read -r suite component _ <<< "${candidate/:/}"
                [[ ${1:-$component} == "$component" ]] || continue
                printf '%s\n' "$suite"
                return
        done
        die "no such candidate: $1"
}

print_pair() {
        printf '%s=%q\n' PAIR_COMPONENT "$PAIR_COMPONENT" PAIR_SUITE "$PAIR_SUITE"
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
        local verb=${1:-} wanted=${2:-} suite
        case $verb in
        sources) use_suite "${2:-bookworm}"; sources; return ;;
        pick|fetch) ;;
        *) sed -n '5,9s/^# *//p' "$0" >&2; exit 2 ;;
        esac

        suite=$(suite_of ${wanted:+"$wanted"})
        use_suite "$suite"
        lock_archive
        refresh_lists
        pick ${wanted:+"$wanted"}
        if [[ $verb == fetch ]] && ! fetch_pair; then
                # The archive drops superseded files: old lists name what is gone.
                say "a download failed: fetching the lists again"
                refresh_lists force
                pick ${wanted:+"$wanted"}
                fetch_pair || die "cannot download the packages of $PAIR_COMPONENT"
        fi
        print_pair
        [[ $verb == pick ]] ||
                printf '%s="%s"\n' PAIR_OLD_DEBS "$PAIR_OLD_DEBS" PAIR_NEW_DEBS "$PAIR_NEW_DEBS"
}

main "$@"
