#!/bin/bash
# Each message of the journal is explained, in each language, and nothing else is; prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
number=0 failures=0
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

rows() { grep -oE '^ +X\([A-Z_]+, "[^"]*", LOG_[A-Z]+\)' src/cli/messages.h; }

ids=$(rows | cut -d '"' -f 2)
[ -n "$ids" ] && ! grep -qvE '^[0-9a-f]{32}$' <<<"$ids" && [ -z "$(sort <<<"$ids" | uniq -d)" ] &&
        [ "$(rows | wc -l)" -eq "$(grep -c ' X(' src/cli/messages.h)" ]
report $? 'each message has an id of its own'

missing=$(for id in $ids; do grep -q "\`$id\`" docs/FORMATS.md || echo "# $id"; done)
[ -z "$missing" ] || echo "$missing"
[ -z "$missing" ]
report $? 'docs/FORMATS.md has each of them'

for catalog in data/suture.catalog data/suture.de.catalog; do
        diff <(sort <<<"$ids") <(sed -n 's/^-- //p' "$catalog" | sort) | sed 's/^/# /' | grep .
        report "$((! $?))" "$catalog explains each of them, and no other"
        # What no entry has would be shown as it stands.
        ! grep -oE '@[A-Z_]+@' "$catalog" | sort -u |
                grep -vE '^@SUTURE_(COMPONENT|ERROR|FROM|LEVEL|REASON)@$' | sed 's/^/# /' | grep .
        report $? "$catalog shows only fields that the program sends"
done

if ! command -v journalctl >/dev/null; then
        echo "ok $((number += 1)) - the catalogs are read # SKIP there is no journalctl"
else
        mkdir -p "$root/usr/lib/systemd/catalog" "$root/var/lib/systemd/catalog"
        cp data/*.catalog "$root/usr/lib/systemd/catalog"
        log=$(journalctl --root="$root" --update-catalog 2>&1) &&
                listed=$(journalctl --root="$root" --list-catalog 2>&1)
        [ -z "$log" ] && diff <(sort <<<"$ids") <(grep -oE '^[0-9a-f]{32}' <<<"$listed" | sort) | sed 's/^/# /'
        [ -z "$log" ] && [ "$(grep -c ' Suture: ' <<<"$listed")" -eq "$(wc -l <<<"$ids")" ]
        report $? 'journalctl reads the catalogs'
fi
echo "1..$number"
exit "$((failures > 0))"
