#!/bin/bash
# The page for Cockpit: its modules are JavaScript, its document has neither scripts nor styles of its own; prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../../src/cockpit" || exit 1
number=0 failures=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

report() { # report RESULT NAME
        number=$((number + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $number - $2"
        else
                echo "not ok $number - $2"
                failures=$((failures + 1))
        fi
}

report_none() { # report_none FOUND NAME
        [ -z "$1" ] || sed 's/^/# /' <<<"$1"
        [ -z "$1" ]
        report "$?" "$2"
}

# Not: what the page's policy would refuse at run time, for the first one who opens it.
found=$(grep -nE '<style|[[:space:]](style|on[a-z]+)=|<script>' index.html)
report_none "$found" "nothing is inline in index.html"
found=$(grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(' ./*.js)
report_none "$found" "no module makes markup of texts"

for module in *.js; do
        installed=$(grep -c "'$module'" meson.build)
        [ "$installed" -eq 1 ]
        report "$?" "$module is installed"
        if ! command -v node >/dev/null; then
                number=$((number + 1))
                echo "ok $number - $module # SKIP there is no node"
                continue
        fi
        # By its name node knows what it is: the theme's is the one that is no module.
        case $module in theme.js) name=theme.cjs ;; *) name=${module%.js}.mjs ;; esac
        cp "$module" "$copy/$name"
        node --check "$copy/$name" 2>&1 | sed 's/^/# /'
        report "${PIPESTATUS[0]}" "$module is understood"
done
echo "1..$number"
exit "$((failures > 0))"
