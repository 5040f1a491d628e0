#!/usr/bin/env bash
# Debian's cloud kernel of a release, with the few modules that the tests need.
#
#   kernel.sh SUITE      prints the directory: vmlinuz, release, modules/NN-NAME.ko in load order
#
# SUTURE_CACHE   keeps the newest of each release below kernels/ (/var/cache/suture-test)
set -euo pipefail

recipe=1        # raise it when what is kept of a kernel changes
modules=(virtio_pci virtio_blk crc32c_generic ext4 loop erofs overlay)
container=$(cd "$(dirname "$0")/../container" && pwd)

# shellcheck source=tests/container/processes.sh
. "$container/processes.sh"
# shellcheck source=tests/container/debian-archive.sh
. "$container/debian-archive.sh"

# The metapackage depends on the kernel itself.
newest_kernel() { # prints PACKAGE VERSION
        local package version
        package=$(own_apt apt-cache depends --important linux-image-cloud-amd64 |
                awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
        version=$(own_apt apt-cache policy "$package" | awk '/Candidate:/ { print $2 }')
        [[ -n $version ]] || die "$suite has no cloud kernel"
        printf '%s %s\n' "$package" "$version"
}

# Older than what the lists name is better than nothing: the archive may be out of reach.
newest_cached() { # prints the directory
        local newest
        newest=$(find "$cache/kernels" -mindepth 1 -maxdepth 1 -name "$suite-r$recipe-*" -printf '%T@ %p\n' \
                2> /dev/null | sort -rn | head -n 1)
        [[ -n $newest ]] && printf '%s\n' "${newest#* }"
}

module_files() { # tree release; paths in load order, each once
        local module
        for module in "${modules[@]}"; do
                # What a kernel has built in, or lost, is not there to load: the guest's checks would tell.
                modprobe -d "$1" -S "$2" --show-depends "$module" 2> /dev/null || true
        done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

copy_modules() { # tree release dir
        local file name number=10
        depmod -b "$1" "$2"
        mkdir "$3"
        while read -r file; do
                name=$(basename "$file")
                case $name in
                *.xz) xz -dc "$file" ;;
                *.zst) zstd -qdc "$file" ;;
                *) cat "$file" ;;
                esac > "$3/$number-${name%.ko*}.ko"
                number=$((number + 1))
        done < <(module_files "$1" "$2")
}

unpack() { # deb dir
        local tree=$2/tree release
        dpkg-deb -x "$1" "$tree"
        # Newer releases have them below /usr only; depmod looks where they always were.
        [[ -e $tree/lib ]] || ln -s usr/lib "$tree/lib"
        release=$(basename "$tree"/lib/modules/*)
        copy_modules "$tree" "$release" "$2/modules"
        cp "$tree/boot/vmlinuz-$release" "$2/vmlinuz"
        printf '%s\n' "$release" > "$2/release"
        rm -rf "$tree"
}

fetch_kernel() { # package version dir
        local deb
        deb=$(fetch_deb "$1" "$2") || die "cannot download $1 $2"
        mkdir -p "$cache/kernels"
        unpacked=$(mktemp -d "$cache/kernels/.unpack.XXXXXX")
        trap 'rm -rf "$unpacked"' EXIT
        unpack "$deb" "$unpacked"
        find "$cache/kernels" -mindepth 1 -maxdepth 1 -name "$suite-*" -exec rm -rf {} +
        mv "$unpacked" "$3"
        trap - EXIT
        rm -f "$deb"
}

main() {
        local package version dir
        (($# == 1)) || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
        [[ $(uname -m) == x86_64 ]] || die "only x86-64 is tried"
        use_suite "$1"
        lock_archive
        # shellcheck disable=SC2119
        if ! (refresh_lists); then
                newest_cached && return
                die "no package lists, and no kernel is cached"
        fi
        read -r package version < <(newest_kernel)
        dir=$cache/kernels/$suite-r$recipe-${version//[^A-Za-z0-9.+-]/_}
        [[ -e $dir ]] || fetch_kernel "$package" "$version" "$dir"
        printf '%s\n' "$dir"
}

main "$@"
