#!/bin/bash
# Install the Debian packages that building, testing and the demo need, if any is missing.
# Debian 12 and 13; wants root (or sudo) only when something is missing.
set -euo pipefail

build="gcc clang libclang-rt-dev meson ninja-build pkg-config make libssl-dev libjansson-dev libzstd-dev
       libcurl4-openssl-dev libseccomp-dev libsystemd-dev libfsverity-dev libdivsufsort-dev libelf-dev
       gettext"
publish="erofs-utils dpkg-dev zstd abigail-tools"
check="libcmocka-dev python3-pytest python3-pytest-xdist python3-cryptography python3-jsonschema
       python3-prometheus-client gpg gpg-agent faketime clang-format clang-tidy strace"
agent="dbus polkitd python3-gi python3-dbusmock"
panel="libadwaita-1-dev gettext desktop-file-utils appstream librsvg2-bin at-spi2-core gir1.2-atspi-2.0 adwaita-icon-theme
       fonts-dejavu-core xvfb xdotool imagemagick locales"
device="mmdebstrap systemd-container openssl curl ca-certificates debian-archive-keyring iproute2
        util-linux uidmap jq"
page="chromium cockpit-ws cockpit-bridge nodejs npm"
jobs="slurmctld slurmd slurm-client munge"
kernels="qemu-system-x86 busybox-static e2fsprogs cpio kmod xz-utils libc6-dev"

missing=()
for package in $build $publish $check $agent $panel $page $device $jobs $kernels; do
        # Those of another vendor conflict with Debian's.
        case $package in nodejs|npm) command -v "${package%js}" >/dev/null && continue ;; esac
        # The fuzzing runtime carries clang's version in its name on Debian 12.
        if [ "$package" = libclang-rt-dev ] && ! apt-cache show libclang-rt-dev >/dev/null 2>&1; then
                package=libclang-rt-14-dev
        fi
        status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
        case $status in ii*) ;; *) missing+=("$package") ;; esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
        command -v sudo >/dev/null || {
                echo "these packages are missing, and installing them needs root: ${missing[*]}" >&2
                exit 1
        }
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q >/dev/null
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
