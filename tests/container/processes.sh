# shellcheck shell=bash
# To be sourced: messages, and the processes that a script starts in one run and
# ends in another. They are kept by role as files in the directory $state.
# shellcheck disable=SC2154  # the script that sources this sets $state

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() { say "$*"; exit 1; }

start_time() { # pid; fails for one that is gone or only waits to be reaped
        local stat fields
        stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
        # What follows the name: the state, and 19 further on the start time.
        read -ra fields <<< "${stat##*) }"
        [[ ${fields[0]} != Z ]] && printf '%s\n' "${fields[19]}"
}

# A process id alone may have been given to somebody else since.
record() { # role pid
        start_time "$2" > "$state/$1.start"
        printf '%s\n' "$2" > "$state/$1"
}

alive() { # role
        local started
        [[ -s $state/$1 ]] && started=$(start_time "$(< "$state/$1")") &&
                [[ $started == "$(< "$state/$1.start")" ]]
}

# Only what was recorded is ever signalled.
signal() { # role signal
        ! alive "$1" || kill -s "$2" "$(< "$state/$1")" || true
}

wait_gone() { # role seconds
        local end=$((SECONDS + $2))
        while alive "$1"; do
                ((SECONDS < end)) || return 1
                sleep 0.1
        done
}
