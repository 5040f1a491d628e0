#!/bin/bash
# The main job, from end to end, on a real security fix: `make demo`.
set -euo pipefail
. "$(dirname "$0")/scenario.sh"

print_steps() {
        jq -r '.steps[] | "   \(.us / 1000 | . * 10 | round / 10) ms\t\(.step)"' "$1" | expand -t 16
}

# What Suture leaves to a person, done by one: here the person is this script, and nobody is logged in.
do_what_remains() {
        local unit
        for unit in $(jq -r '.remaining[] | select(.action | IN("wait", "reboot", "soft-reboot")) | .unit // empty' "$1"); do
                echo "   restarting $unit by hand: nobody is logged in here"
                on_device systemctl restart "$unit"
        done
}

scenario_begin

say "A real security update of Debian 12, as its archive carries it today"
scenario_fetch_pair
echo "$PAIR_COMPONENT $PAIR_OLD -> $PAIR_NEW ($PAIR_PACKAGES)"
echo "Debian's own way to this fix: $package_bytes bytes of packages"

say "The publisher: a baseline with the older version, the fix as improvement (a)"
scenario_make_baseline
scenario_publish

say "The device: Debian 12 in a systemd container, serving TLS while it is patched"
scenario_boot_device
scenario_start_client
sleep 1
baseline_digest=$(usr_digest)
suture status
on_device openssl version
suture check >/dev/null
exposed_before=$(exposed_count)
echo "Processes that run the vulnerable code: $exposed_before"

say "suture install --dry-run"
suture install --dry-run

say "suture install"
began=$(date +%s%N)
suture install --json >"$work/install.json"
installed=$(date +%s%N)
do_what_remains "$work/install.json"
exposed_after=$(exposed_count)
ended=$(date +%s%N)
print_steps "$work/install.json"
suture status
on_device openssl version
echo "Processes that still run the vulnerable code: $exposed_after (of $exposed_before)"

say "suture remove"
suture remove --json >"$work/remove.json"
print_steps "$work/remove.json"
do_what_remains "$work/remove.json"
suture status
on_device openssl version
[ "$(usr_digest)" = "$baseline_digest" ] || { echo "/usr is NOT the baseline again" >&2; exit 1; }
echo "/usr is the baseline again, byte for byte: $baseline_digest"
suture history
sleep 1
scenario_stop_client

say "Figures"
download_bytes=$(jq .download_bytes "$work/install.json")
metadata_bytes=$(awk -F'\t' '$3 !~ /objects/ { n += $5 } END { print n + 0 }' "$work/web/access.log")
swap_failed=$(($(failed_between $(step_bounds "$work/install.json" swap)) +
        $(failed_between $(step_bounds "$work/remove.json" swap))))
restart_failed=$(failed_between $(step_bounds "$work/install.json" restart))
cat "$work/client.txt"
echo "Failed while swapping (in and out): $swap_failed; while nginx itself restarted (in): $restart_failed"
echo "Metadata of all checks together: $metadata_bytes bytes"
# What was restarted runs by then; what follows is the look at whether it goes on to.
watched_us=$((installed / 1000 - $(jq '.steps[-1] | .at_us + .us' "$work/install.json")))
echo "suture install took $(((installed - began) / 1000000 - watched_us / 1000)) ms, its download $(step_ms "$work/install.json" download) ms of that; then it watched for $((watched_us / 1000000)) s"
echo
echo "figure: download_bytes $download_bytes bytes"
echo "figure: package_bytes $package_bytes bytes"
echo "figure: download_vs_package $(awk "BEGIN { printf \"%.3f\", $download_bytes / $package_bytes }") ratio"
echo "figure: swap_ms $(jq '.swap_us / 1000' "$work/install.json") ms"
echo "figure: install_s $(awk "BEGIN { printf \"%.2f\", ($ended - $began) / 1e9 - $watched_us / 1e6 }") s"
echo "figure: requests_failed_while_swapping $swap_failed requests"
echo "figure: exposed_before $exposed_before processes"
echo "figure: exposed_after $exposed_after processes"

[ "$exposed_after" -eq 0 ] && [ "$swap_failed" -eq 0 ] || { echo "The demo did NOT go well." >&2; exit 1; }
say "Done: one real fix, delivered, proven and taken back."
