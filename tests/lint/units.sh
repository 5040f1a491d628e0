#!/bin/bash
# What each service of the system may do, by systemd's own measure, and whether it understands its units; prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
number=0 failures=0
# Tenths. What is above it fails, so this is "below 2.5".
exposure_max=24
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

report() { # report RESULT NAME
        number=$((number + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $number - $2"
        else
                echo "not ok $number - $2"
                failures=$((failures + 1))
        fi
}

if ! systemd-analyze --help 2>/dev/null | grep -q -- --offline; then
        echo '1..0 # SKIP there is no systemd-analyze that knows --offline'
        exit 0
fi

for unit in data/systemd/*.service; do
        measured=$(systemd-analyze security --no-pager --offline=true --threshold="$exposure_max" "$unit" 2>&1)
        result=$?
        [ "$result" -eq 0 ] || sed 's/^/# /' <<<"$measured"
        report "$result" "$unit: $(grep -o 'Overall exposure level.*: [0-9.]*' <<<"$measured")"
done

# The programs that they start, and no pages of a manual.
for program in $(sed -n 's/^ExecStart=-\?\([^ ]*\).*/\1/p' data/systemd/*.service); do
        install -D /dev/null "$root$program"
done
install -m 644 -D -t "$root/usr/lib/systemd/system" data/systemd/*
for unit in data/systemd/*; do
        said=$(systemd-analyze verify --man=no --recursive-errors=no --root="$root" \
                "$root/usr/lib/systemd/system/${unit##*/}" 2>&1)
        result=$?
        [ -z "$said" ] || sed 's/^/# /' <<<"$said"
        # Of what is said without a failure, "ignoring" tells of a slip.
        ! grep -q 'ignoring' <<<"$said" || result=1
        report "$result" "$unit is understood"
done
echo "1..$number"
exit "$((failures > 0))"
