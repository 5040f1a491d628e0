#!/bin/bash
# Pairs of real files for bench-delta: one file of a package of Debian, as the archive carries it today in
# two versions, the older and the newer.
#
#   pairs.sh DIR     DIR/NAME-RELEASE.ARCH/{old,new,info}, DIR/trees/RELEASE.ARCH/{old,new}/, DIR/table
#
# What is there already is kept. Packages of foreign architectures come from an apt state of our own: see
# debian-archive.sh, also for the environment. A package with one version only is skipped, and said to be.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
container=$here/../../tests/container
architectures=${SUTURE_PAIRS_ARCHITECTURES:-amd64 arm64}
smallest=100000 # bytes: below, any delta is small

# Release, package: names of files, as globs. Without any, every ELF file that is not small is taken. A
# named file may be of any kind. Not everything has two versions at all times: what has none today may have
# tomorrow, and is asked for. Chromium is left out: its two versions are several majors apart, and no fix.
wanted=(
        # What serves the network.
        'bookworm openssh-server: sshd'
        'bookworm libcurl4'
        'bookworm libxml2'
        'bookworm libssl3'
        'bookworm libgnutls30'
        'bookworm libexpat1'
        'bookworm bind9-libs: libdns* libns*'
        'bookworm nginx: nginx'
        'bookworm samba-libs: libndr-samba.so* libndr-standard.so* libsmbd-base*'
        'bookworm libmariadb3: libmariadb.so*'
        'bookworm postgresql-15: postgres'
        'bookworm mariadb-server-core: mariadbd'
        # What everything stands on.
        'bookworm libc6: libc.so* libm.so* ld-linux*'
        'bookworm libc-bin'
        'bookworm libsystemd-shared'
        'bookworm systemd: systemd systemd-networkd'
        'bookworm udev: udevadm'
        'bookworm libapt-pkg6.0'
        'bookworm libglib2.0-0: libglib-* libgio-*'
        'bookworm sudo: sudoers.so'
        'bookworm git: git'
        # Languages.
        'bookworm python3.11-minimal'
        'bookworm libpython3.11: libpython*'
        'bookworm perl-base: perl'
        'bookworm libperl5.36: libperl.so*'
        'bookworm php8.2-cli: php*'
        'bookworm libnode108: libnode*'
        # What reads files from anywhere.
        'bookworm libtiff6'
        'bookworm libgs10: libgs.so*'
        'bookworm libavcodec59: libavcodec.so*'
        'bookworm libpoppler126: libpoppler.so*'
        'bookworm libmagickcore-6.q16-6: libMagickCore*'
        # Go.
        'bookworm containerd: containerd containerd-shim'
        'bookworm git-lfs: git-lfs'
        # Large ones.
        'bookworm libwebkit2gtk-4.1-0: libwebkit2gtk*'
        'bookworm libjavascriptcoregtk-4.1-0: libjavascriptcoregtk*'
        'bookworm qemu-system-x86: qemu-system-x86_64'
        'bookworm openjdk-17-jre-headless: libjvm.so'
        # No ELF.
        'bookworm tzdata: tzdata.zi'
        'bookworm node-lodash: lodash.js lodash.min.js'
        'bookworm tomcat10-docs: changelog.html'
        # The same of another release: other compilers, packed relocations.
        'trixie openssh-server: sshd sshd-session'
        'trixie libxml2'
        'trixie libssl3t64'
        'trixie libfreetype6'
        'trixie libkrb5-3'
        'trixie nginx: nginx'
        'trixie samba-libs: libndr-samba.so* libndr-standard.so* libsmbd-base*'
        'trixie libavcodec61: libavcodec.so*'
        'trixie php8.4-cli: php*'
        'trixie qemu-system-x86: qemu-system-x86_64'
        'trixie docker.io: dockerd'
        'trixie firefox-esr: libxul.so'
)

# Whole packages, for images made of many files.
tree_release=bookworm
tree_packages='libssl3 openssl libcurl4 openssh-server openssh-client libxml2 libsystemd-shared libsystemd0
               systemd libc6 nginx libpython3.11-minimal perl-base sudo'

# shellcheck source=tests/container/processes.sh
. "$container/processes.sh"
# shellcheck source=tests/container/debian-archive.sh
. "$container/debian-archive.sh"

skipped() { say "SKIPPED: $*"; }

# The two newest versions, older first; nothing if there is only one.
two_versions() { # package
        local versions version newest='' second=''
        versions=$(own_apt apt-cache madison "$1" 2>/dev/null | awk -F'|' '{ gsub(/ /, "", $2); print $2 }' | sort -u)
        for version in $versions; do
                if [[ -z $newest ]] || dpkg --compare-versions "$version" gt "$newest"; then
                        second=$newest newest=$version
                elif [[ -z $second ]] || dpkg --compare-versions "$version" gt "$second"; then
                        second=$version
                fi
        done
        if [[ -z $second ]]; then
                skipped "$1 of $suite $architecture has one version only: ${newest:-none at all}"
                return 1
        fi
        printf '%s %s\n' "$second" "$newest"
}

is_elf() { [[ $(head -c 4 "$1" | od -An -tx1) == ' 7f 45 4c 46' ]]; }

matches() { # path; of those that the caller's patterns name
        local name=${1##*/} pattern
        [[ ${#patterns[@]} -gt 0 ]] || { is_elf "$1"; return; }
        for pattern in "${patterns[@]}"; do
                # shellcheck disable=SC2053  # a glob is meant
                [[ $name != $pattern ]] || return 0
        done
        return 1
}

# A path without what changes with a version (libxml2.so.2.9.14, libdns-9.18.49-1~deb12u1-Debian.so), and
# without what changes with the architecture.
key_of() { # path
        sed -E 's,^/?(usr/)?,,; s,(aarch64|x86_64)-linux-gnu/,,; s,\.so[.0-9]+$,.so,
                s,-[0-9][0-9.]*-[^/]*-Debian,,' <<<"$1"
}

# path of the one file of a tree that has the key
find_key() { # tree key
        local path found=()
        while IFS= read -r path; do
                [[ $(key_of "$path") != "$2" ]] || found+=("$path")
        done < <(cd "$1" && find . -type f -size +"$((smallest - 1))c" -printf '%P\n')
        [[ ${#found[@]} -eq 1 ]] && printf '%s\n' "${found[0]}"
}

# Put one file's pair in its place, by way of a name that nobody takes for a pair.
put_pair() { # name old-file new-file info
        local place=$dir/$1-$suite.$architecture
        if cmp -s "$2" "$3"; then
                say "$1 of $suite $architecture is the same in both versions: no pair"
                return
        fi
        mkdir -p "$dir/.pair"
        mv "$2" "$dir/.pair/old"
        mv "$3" "$dir/.pair/new"
        printf '%s\n' "$4" >"$dir/.pair/info"
        chmod 644 "$dir/.pair"/*
        rm -rf "$place"
        mv "$dir/.pair" "$place"
}

pairs_of_trees() { # package old-version new-version
        local path other key name taken=0
        while IFS= read -r path; do
                matches "$scratch/old/$path" || continue
                key=$(key_of "$path")
                if [[ $(find_key "$scratch/old" "$key") != "$path" ]] || ! other=$(find_key "$scratch/new" "$key"); then
                        skipped "$path of $1 $architecture: no single file of that name in each version"
                        continue
                fi
                name=${key##*/}
                put_pair "${name// /_}" "$scratch/old/$path" "$scratch/new/$other" "$1 $2 $3 $path"
                taken=$((taken + 1))
        done < <(cd "$scratch/old" && find . -type f -size +"$((smallest - 1))c" -printf '%P\n' | LC_ALL=C sort)
        [[ $taken -gt 0 ]] || skipped "$1 of $suite $architecture: none of the files asked for is in it"
}

unpack_both() { # package old-version new-version directory
        local old new
        if ! old=$(fetch_deb "$1" "$2") || ! new=$(fetch_deb "$1" "$3"); then
                skipped "$1 of $suite $architecture: cannot be downloaded"
                return 1
        fi
        dpkg-deb -x "$old" "$4/old"
        dpkg-deb -x "$new" "$4/new"
}

pairs_of_package() { # package pattern...
        local package=$1 versions old new stamp patterns
        patterns=("${@:2}")
        versions=$(two_versions "$package") || return 0
        read -r old new <<<"$versions"
        if [[ $architecture != "${architectures%% *}" && $(record "$package" "$new" Architecture) == all ]]; then
                return 0 # the same bytes once more
        fi
        stamp=$dir/.done/$package.$suite.$architecture
        [[ $(cat "$stamp" 2>/dev/null) != "$versions ${patterns[*]}" ]] || return 0
        rm -rf "$scratch"/{old,new}
        unpack_both "$package" "$old" "$new" "$scratch" || return 0
        pairs_of_trees "$package" "$old" "$new"
        printf '%s\n' "$versions ${patterns[*]}" >"$stamp"
}

make_trees() {
        local place=$dir/trees/$suite.$architecture package versions old new
        [[ ! -e $place || $(cat "$place/packages" 2>/dev/null) != "$tree_packages" ]] || return 0
        rm -rf "$scratch/trees" "$place"
        mkdir -p "$scratch/trees" "$dir/trees"
        for package in $tree_packages; do
                versions=$(two_versions "$package") || continue
                read -r old new <<<"$versions"
                unpack_both "$package" "$old" "$new" "$scratch/trees" || continue
                printf '%s %s\n' "$package" "$versions" >>"$scratch/trees/info"
        done
        printf '%s\n' "$tree_packages" >"$scratch/trees/packages"
        mv "$scratch/trees" "$place"
}

print_table() {
        local place package old new path
        printf '%-40s %11s %11s  %s\n' pair old new 'package, versions'
        for place in "$dir"/*.*/; do
                place=${place%/}
                read -r package old new path <"$place/info"
                printf '%-40s %11d %11d  %s %s -> %s\n' "${place##*/}" "$(stat -c %s "$place/old")" \
                        "$(stat -c %s "$place/new")" "$package" "$old" "$new"
        done
}

[[ $# -eq 1 ]] || { sed -n '5s/^# *//p' "$0" >&2; exit 2; }
mkdir -p "$1/.done"
dir=$(cd "$1" && pwd)
scratch=$(mktemp -d "$dir/.unpack.XXXXXX")
trap 'rm -rf "$scratch" "$dir/.pair"' EXIT

for release in $(printf '%s\n' "${wanted[@]%% *}" | sort -u); do
        for architecture in $architectures; do
                use_suite "$release" "$architecture"
                lock_archive
                # shellcheck disable=SC2119  # not this script's arguments
                (refresh_lists) || { skipped "all of $release $architecture: its lists cannot be had"; continue; }
                for line in "${wanted[@]}"; do
                        read -ra words <<<"${line/:/}"
                        [[ ${words[0]} == "$release" ]] || continue
                        pairs_of_package "${words[@]:1}"
                done
                [[ $release != "$tree_release" ]] || make_trees
        done
done
print_table | tee "$dir/table"
