#!/bin/sh
# Run a cmocka program that prints TAP. cmocka 1.1.5 calls a skipped test "not ok"; TAP wants "ok",
# with the reason behind SKIP.
set -u
status=$(mktemp) || exit 1
trap 'rm -f "$status"' EXIT
{
        CMOCKA_MESSAGE_OUTPUT=TAP "$@"
        echo $? >"$status"
} | awk '
        /^(# )?skip: /        { sub(/^(# )?skip: /, ""); reason = $0; next }
        /^not ok [0-9]+ # SKIP / { name = $0; sub(/^not ok [0-9]+ # SKIP /, "", name)
                                 print "ok " $3 " - " name " # SKIP " reason; fflush(); next }
                              { print; fflush() }'
exit "$(cat "$status")"
