#!/bin/bash
# The panel's desktop file, AppStream metadata and icons, by the validators of each; prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
number=0 failures=0
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
panel=org.suture.Settings

report() { # report RESULT NAME
        number=$((number + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $number - $2"
        else
                echo "not ok $number - $2"
                failures=$((failures + 1))
        fi
}

check() { # check NAME COMMAND...
        local said result
        said=$("${@:2}" 2>&1)
        result=$?
        [ "$result" -eq 0 ] || sed 's/^/# /' <<<"$said"
        report "$result" "$1"
}

for program in desktop-file-validate appstreamcli rsvg-convert; do
        if ! command -v "$program" >/dev/null; then
                echo "1..0 # SKIP NOT TESTED: $program is not there"
                exit 0
        fi
done

cp "data/desktop/$panel.desktop.in" "$place/$panel.desktop"
cp "data/desktop/$panel.metainfo.xml.in" "$place/$panel.metainfo.xml"
check "the desktop file" desktop-file-validate "$place/$panel.desktop"
check "the metadata" appstreamcli validate --no-net --explain "$place/$panel.metainfo.xml"
for icon in data/desktop/icons/*.svg; do
        check "${icon##*/} can be drawn" rsvg-convert --output="$place/icon.png" "$icon"
done
# A symbolic icon is recoloured by the theme: it has one colour, and no gradient.
check "the symbolic icon has one colour" \
        test "$(grep -o '#[0-9a-f]\{6\}' "data/desktop/icons/$panel-symbolic.svg" | sort -u | wc -l)" -eq 1
# The bus, the desktop file and the program have the same name.
check "the name is the same everywhere" grep -q "\"$panel\"" src/settings/main.c
check "the bus can start it" grep -q "^Name=$panel$" "data/desktop/$panel.service.in"
echo "1..$number"
exit $((failures > 0))
