#!/usr/bin/env bash
# Picks a real Debian 12 security fix at run time: a component whose archive
# still offers two versions, the older (the baseline) and the newer (the fix).
#
#   debian-pair.sh sources             sources.list lines for bookworm
#   debian-pair.sh pick  [COMPONENT]   PAIR_COMPONENT, PAIR_PACKAGES, PAIR_OLD, PAIR_NEW
#   debian-pair.sh fetch [COMPONENT]   the same, after downloading the packages,
#                                      plus PAIR_OLD_DEBS and PAIR_NEW_DEBS (paths)
#
# pick and fetch print lines to eval; everything else goes to standard error.
# Without COMPONENT the first candidate that has two versions is taken.
#
# SUTURE_CACHE             where lists and packages are kept (/var/cache/suture-test)
# SUTURE_MIRROR            URI of a Debian archive, and
# SUTURE_MIRROR_SECURITY   of its security archive, where apt's own configuration
#                          names none (not a Debian host)
set -euo pipefail

suite=bookworm
cache=${SUTURE_CACHE:-/var/cache/suture-test}
apt_dir=$cache/apt
deb_dir=$cache/debs
list_max_age_min=360

# Source package: the binary packages that a fix replaces together. First wish first.
candidates=(
        'openssl: libssl3 openssl'
        'libxml2: libxml2'
        'curl: libcurl4 curl'
        'nginx: nginx nginx-common nginx-light'
        'gnutls28: libgnutls30'
        'expat: libexpat1'
)

say() { printf 'debian-pair: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The archives of the host's own apt configuration, whatever its format: those
# with lists, by their label, then those that were never updated from.
host_archives() { # prints URI|label
        # shellcheck disable=SC2016  # apt fills these in, not the shell
        apt-get indextargets --format '$(REPO_URI)|$(LABEL)' 'Created-By: Packages'
        apt-get --print-uris update 2> /dev/null |
                sed -n "s,^'\(.*/\)dists/.*/InRelease'.*,\1|,p"
}

# The host's release does not matter: a mirror of trixie serves bookworm too.
mirror() { # main|security
        local want=$1 uri label kind
        while IFS='|' read -r uri label; do
                case "$uri|$label" in
                *debian-security*|*'|Debian-Security') kind=security ;;
                *'|Debian'|*/debian/'|') kind=main ;;
                *) continue ;;
                esac
                [[ $kind == "$want" ]] || continue
                printf '%s\n' "$uri"
                return
        done < <(host_archives)
        return 1
}

keyring() {
        local name
        for name in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
                [[ -e $name ]] && { printf '%s\n' "$name"; return; }
        done
        die "no Debian archive keyring: install debian-archive-keyring"
}

sources() { # [more apt options]
        local main security options
        main=${SUTURE_MIRROR:-$(mirror main)} ||
                die "apt's configuration names no Debian archive; set SUTURE_MIRROR"
        security=${SUTURE_MIRROR_SECURITY:-$(mirror security)} ||
                die "apt's configuration names no Debian security archive; set SUTURE_MIRROR_SECURITY"
        options="signed-by=$(keyring)${1:+ $1}"
        printf 'deb [%s] %s %s main\n' \
                "$options" "$main" "$suite" \
                "$options" "$main" "$suite-updates" \
                "$options" "$security" "$suite-security"
}

# An apt state of our own: the host's lists, pins and dpkg database stay out of it.
# The file is read after the host's configuration, so that proxies still apply
# and the host's hooks do not.
write_apt_config() {
        mkdir -p "$apt_dir"/{lists,archives}/partial "$apt_dir/empty.d" "$deb_dir"
        # apt keeps its cache of the lists only while these files are left alone.
        [[ -e $apt_dir/status ]] || : > "$apt_dir/status"
        cat > "$apt_dir/apt.conf" <<-CONF
		Dir::State "$apt_dir";
		Dir::State::lists "$apt_dir/lists";
		Dir::State::status "$apt_dir/status";
		Dir::Cache "$apt_dir";
		Dir::Cache::archives "$apt_dir/archives";
		Dir::Cache::pkgcache "$apt_dir/pkgcache.bin";
		Dir::Cache::srcpkgcache "$apt_dir/srcpkgcache.bin";
		Dir::Etc::sourcelist "$apt_dir/sources.list";
		Dir::Etc::sourceparts "$apt_dir/empty.d";
		Dir::Etc::preferences "$apt_dir/preferences";
		Dir::Etc::preferencesparts "$apt_dir/empty.d";
		APT::Update::Error-Mode "any";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear APT::Default-Release;
	CONF
}

own_apt() { local tool=$1; shift; "$tool" -q -c "$apt_dir/apt.conf" "$@"; }

lists_are_fresh() {
        cmp -s "$apt_dir/sources.wanted" "$apt_dir/sources.fetched" &&
                [[ -n $(find "$apt_dir/sources.fetched" -mmin "-$list_max_age_min") ]]
}

refresh_lists() { # [force]
        write_apt_config
        sources 'target=Packages lang=none' > "$apt_dir/sources.wanted"
        if [[ ${1:-} != force ]] && lists_are_fresh; then
                return
        fi
        cp "$apt_dir/sources.wanted" "$apt_dir/sources.list"
        own_apt apt-get -q update >&2 || die "cannot fetch the package lists of $suite"
        cp "$apt_dir/sources.list" "$apt_dir/sources.fetched"
}

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

# Field of one version's record in the signed package lists.
record() { # package version field
        own_apt apt-cache show --no-all-versions "$1=$2" |
                awk -v field="$3:" '$1 == field { print $2; exit }'
}

download() { # package=version file sha256
        local tmp status=0
        tmp=$(mktemp -d "$deb_dir/.fetch.XXXXXX")
        # apt fetches as a user of its own, which must be able to write here.
        chown _apt: "$tmp" 2> /dev/null || true
        if (cd "$tmp" && own_apt apt-get -q download "$1" >&2) &&
                sha256sum --status -c <<< "$3  $tmp/$(basename "$2")"
        then
                mv "$tmp/$(basename "$2")" "$2"
        else
                status=1
        fi
        rm -rf "$tmp"
        return "$status"
}

# Prints the path of the package file; one that is there already counts only if
# its bytes are those that the package lists promise.
fetch_deb() { # package version
        local package=$1 version=$2 sum path
        sum=$(record "$package" "$version" SHA256)
        path=$deb_dir/$(basename "$(record "$package" "$version" Filename)")
        sha256sum --status -c <<< "$sum  $path" 2> /dev/null ||
                download "$package=$version" "$path" "$sum" || return 1
        printf '%s\n' "$path"
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
        sources) sources; return ;;
        pick|fetch) ;;
        *) sed -n '5,8s/^# *//p' "$0" >&2; exit 2 ;;
        esac

        mkdir -p "$cache"
        exec 9> "$cache/apt.lock"
        flock 9
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
