#!/bin/bash
# What does the agent cost: bytes of memory, wake-ups, time? bench/agent.py measures; this gives it namespaces of its own.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)

[ "$(id -u)" -eq 0 ] || { echo "bench-agent: installing a fix needs root" >&2; exit 1; }
# A real file system, as devices have: /tmp may be a tmpfs.
work=$(mktemp -d /var/tmp/suture-agent.XXXXXX)
chmod 755 "$work"
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

unshare --mount --propagation private --pid --fork --mount-proc --kill-child \
        /usr/bin/python3 -B "$bench/agent.py" "$work" "${1:-10}"
