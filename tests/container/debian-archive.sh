# shellcheck shell=bash
# To be sourced, after processes.sh: packages of one Debian release, by an apt state
# of our own, whatever the host's release is.
#
# SUTURE_CACHE             where lists and packages are kept (/var/cache/suture-test)
# SUTURE_MIRROR            URI of a Debian archive, and
# SUTURE_MIRROR_SECURITY   of its security archive, where apt's own configuration
#                          names none (not a Debian host)

cache=${SUTURE_CACHE:-/var/cache/suture-test}
deb_dir=$cache/debs
list_max_age_min=360

use_suite() { # name [architecture]; before anything else of this file
        suite=$1
        architecture=${2:-$(dpkg --print-architecture)}
        apt_dir=$cache/apt
        [[ $suite == bookworm ]] || apt_dir+=-$suite
        [[ $architecture == "$(dpkg --print-architecture)" ]] || apt_dir+=-$architecture
}

# One at a time: the lists and the packages are shared.
lock_archive() {
        mkdir -p "$cache"
        exec 9> "$cache/apt.lock"
        flock 9
}

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
		APT::Architecture "$architecture";
		#clear APT::Architectures;
		APT::Architectures { "$architecture"; };
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

# Field of one version's record in the signed package lists.
record() { # package version field
        own_apt apt-cache show --no-all-versions "$1=$2" |
                awk -v field="$3:" '$1 == field { print $2; exit }'
}

download() { # package=version file sha256
        local tmp fetched status=0
        tmp=$(mktemp -d "$deb_dir/.fetch.XXXXXX")
        # apt fetches as a user of its own, which must be able to write here.
        chown _apt: "$tmp" 2> /dev/null || true
        # Its name there is not quite the archive's: a version's epoch is in it.
        if (cd "$tmp" && own_apt apt-get -q download "$1" >&2) &&
                fetched=$(find "$tmp" -name '*.deb') &&
                sha256sum --status -c <<< "$3  $fetched"
        then
                mv "$fetched" "$2"
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
