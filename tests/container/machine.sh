#!/usr/bin/env bash
# Test machines: a Debian root file system, booted as a systemd container.
#
#   machine.sh rootfs DIR [--suite NAME] [--pin 'PKG=VERSION ...'] [--include PKG,...]
#   machine.sh boot DIR NAME [--bind SRC:DST]... [--capability NAME]     bound read-only
#   machine.sh exec NAME -- COMMAND...               its standard input and exit status
#   machine.sh stop NAME
#
# A machine shares the host's network, so that a client on the host's loopback
# reaches it: its services must listen on 127.0.0.1 only. Several may run at a time.
#
# SUTURE_CACHE   keeps the root file systems, as tar (/var/cache/suture-test)
# SUTURE_RUN     state of the running machines (/run/suture-test): in NAME/ the files
#                leader (process id of the machine's init), console.log
set -euo pipefail

run=${SUTURE_RUN:-/run/suture-test}
boot_seconds=60
poweroff_seconds=30
here=$(cd "$(dirname "$0")" && pwd)

# shellcheck source=tests/container/processes.sh
. "$here/processes.sh"
usage() { sed -n '4,7s/^# *//p' "$0" >&2; exit 2; }

# Where systemd runs the host, it gives us a scope; else we make the cgroups.
host_has_systemd() { [[ -d /run/systemd/system ]]; }

cgroups() { # name
        local top
        host_has_systemd && return
        if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
                printf '/sys/fs/cgroup/suture-test-%s\n' "$1"
                return
        fi
        for top in /sys/fs/cgroup/{systemd,unified}; do
                [[ ! -d $top ]] || printf '%s/suture-test-%s\n' "$top" "$1"
        done
}

remove_cgroups() { # name
        local group end=$((SECONDS + 5))
        for group in $(cgroups "$1"); do
                while [[ -d $group ]] && ! find "$group" -depth -type d -exec rmdir {} + 2> /dev/null; do
                        ((SECONDS < end)) || { say "cannot remove '$group'"; break; }
                        sleep 0.1
                done
        done
}

launch() { # dir name nspawn-option...
        local dir=$1 name=$2 group command
        shift 2
        command=(unshare -m --propagation private
                systemd-nspawn -q --register=no --keep-unit -b -D "$dir" -M "$name"
                --console=pipe --kill-signal=SIGRTMIN+3 "$@")
        ! host_has_systemd || command=(systemd-run -q --scope --collect -p Delegate=yes
                --unit="suture-test-$name" -- "${command[@]}")
        (
                exec 9>&- < /dev/null > "$state/console.log" 2>&1
                for group in $(cgroups "$name"); do
                        mkdir -p "$group"
                        printf '%s\n' "$BASHPID" > "$group/cgroup.procs"
                done
                exec setsid "${command[@]}"
        ) &
        # Everything above replaces itself in place: this stays nspawn's process id.
        record supervisor $!
}

find_leader() {
        local pid children supervisor
        supervisor=$(< "$state/supervisor")
        # The file ends without a newline, which read takes for a failure.
        read -ra children < "/proc/$supervisor/task/$supervisor/children" || true
        for pid in "${children[@]}"; do
                if awk '/^NSpid:/ { found = NF > 2 && $NF == 1 } END { exit !found }' \
                        "/proc/$pid/status" 2> /dev/null
                then
                        record leader "$pid"
                        return
                fi
        done
        return 1
}

# nsenter stops when its command is stopped, as all are in the middle of a soft-reboot, and nobody would
# let it go on: so there is an end to everything.
inside() { # command...
        timeout --foreground --kill-after=5 "${SUTURE_EXEC_SECONDS:-1800}" nsenter -t "$(< "$state/leader")" -m -p -n -i -u -C -- /usr/bin/env -i HOME=/root \
                PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
                TERM="${TERM:-dumb}" LANG=C.UTF-8 "$@"
}

wait_booted() {
        local end=$((SECONDS + boot_seconds))
        while alive supervisor && ((SECONDS < end)); do
                if alive leader || find_leader; then
                        case $(timeout 5 "$here/machine.sh" exec "$name" -- systemctl is-system-running 2> /dev/null) in
                        running|degraded) return 0 ;; # a degraded one ends with 1
                        esac
                fi
                sleep 0.2
        done
        return 1
}

# The console says little: what started, failed or hangs is in the journal inside.
explain_failure() { # name
        local me=("$here/machine.sh" exec "$1" --)
        tail -n 40 "$state/console.log"
        alive leader || return 0
        timeout 5 "${me[@]}" systemctl --no-pager list-jobs || true
        timeout 5 "${me[@]}" journalctl --no-pager -b -n 40 || true
}

tear_down() { # name
        signal leader KILL
        signal supervisor KILL
        wait_gone supervisor 5 || say "$1: the container's supervisor does not go away"
        remove_cgroups "$1"
        rm -rf "$state"
}

boot() { # dir name [--bind SRC:DST]... [--capability NAME]
        local dir options=() fs
        dir=$(realpath "$1")
        shift 2
        while (($#)); do
                (($# >= 2)) || usage
                case $1 in
                --bind) options+=("--bind-ro=$2") ;;
                --capability) options+=("--capability=$2") ;;
                *) usage ;;
                esac
                shift 2
        done
        fs=$(stat -f -c %T "$dir")
        case $fs in
        tmpfs|ramfs|overlayfs) die "'$dir' is on $fs, from which images cannot be mounted" ;;
        esac
        ! alive supervisor || die "$name is already running"
        [[ ! -d $state ]] || tear_down "$name"

        mkdir -p "$state"
        trap 'tear_down "$name"' EXIT
        launch "$dir" "$name" "${options[@]}"
        if ! wait_booted; then
                explain_failure "$name" >&2
                die "$name did not boot"
        fi
        trap - EXIT
}

stop() { # name
        [[ -d $state ]] || return 0
        # SIGRTMIN+4 asks systemd to power off; nspawn ends after it.
        signal leader RTMIN+4
        wait_gone supervisor "$poweroff_seconds" || say "$1 did not power off: ending it"
        tear_down "$1"
}

verb=${1:-}
(($# >= 2)) || usage
shift
case $verb in
rootfs) exec "$here/rootfs.sh" "$@" ;;
boot) name=${2:-} ;;
exec|stop) name=$1 ;;
*) usage ;;
esac
[[ $name =~ ^[a-z0-9][a-z0-9-]*$ ]] || die "not a machine name: '$name'"
state=$run/$name
if [[ $verb == exec ]]; then
        [[ ${2:-} == -- && $# -ge 3 ]] || usage
        alive leader || die "$name is not running"
        inside "${@:3}"
        exit
fi
mkdir -p "$run"
exec 9> "$run/.$name.lock"
flock 9
"$verb" "$@"
