#!/bin/bash
# Each sentence for people is in each catalog, whole and with the same formats; prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
number=0 failures=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

report() { # report RESULT NAME
        number=$((number + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $number - $2"
        else
                echo "not ok $number - $2"
                failures=$((failures + 1))
        fi
}

# Told as diagnostics; true when there was nothing to tell.
silent() { ! sed 's/^/# /' | grep .; }

# `_` with nothing before it, su_plural, ngettext, N_: whatever marks a sentence; and what the desktop reads.
{
        grep -rlE '(^|[^A-Za-z0-9_])(_|N_|su_plural|ngettext)\(' src --include='*.c'
        ls data/desktop/*.desktop.in data/desktop/*.metainfo.xml.in
} | LC_ALL=C sort >"$scratch/marked"
grep -v '^#' po/POTFILES | grep . >"$scratch/listed"
diff "$scratch/marked" <(LC_ALL=C sort "$scratch/listed") | silent
report $? 'po/POTFILES has each file with sentences for people, and no other'

if ! command -v xgettext >/dev/null; then
        echo "ok $((number += 1)) - the catalogs # SKIP gettext is not installed"
        echo "1..$number"
        exit "$((failures > 0))"
fi

# As po/meson.build has it made.
xgettext --files-from=po/POTFILES --output="$scratch/suture.pot" --from-code=UTF-8 --keyword=_ --keyword=N_ \
        --keyword=su_plural:1,2 2>&1 | silent && [ -s "$scratch/suture.pot" ]
report $? 'the sentences can be taken out'

diff <(grep -v '^#' po/LINGUAS | LC_ALL=C sort) <(basename -s .po -a po/*.po | LC_ALL=C sort) | silent
report $? 'po/LINGUAS has each catalog'

for catalog in po/*.po; do
        msgfmt --check --output-file=/dev/null "$catalog" 2>&1 | silent
        report $? "$catalog is well-formed, with the formats of the sentences"
        msgcmp "$catalog" "$scratch/suture.pot" 2>&1 | silent
        report $? "$catalog translates each sentence, guesses none, and has no other"
done
echo "1..$number"
exit "$((failures > 0))"
