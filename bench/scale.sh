#!/bin/bash
# What many machines cost the web server: a real improvement (as in the demo), and the simulation of `suture-publish simulate`
# for a thousand and a million machines; ten percent a day later, all on the third day, and a recall at ten percent. A thousand
# million machines ask a thousand times as much as a million: everything grows with their number.
set -euo pipefail
. "$(dirname "$0")/../demo/scenario.sh"

schedule=(1 % 2030-01-01 00:00Z, 10 % 2030-01-02 00:00Z, 100 % 2030-01-04 00:00Z)

simulate() { # simulate MACHINES OPTION...
        publisher simulate --machines="$1" "${@:2}" "${schedule[@]}"
}

scenario_begin
scenario_fetch_pair
scenario_make_baseline
scenario_publish >/dev/null
for machines in 1000 1000000; do
        simulate "$machines"
        echo
done
echo "The same, recalled when ten percent have it:"
simulate 1000000 --recall-at=9

began=$(date +%s%N)
simulate 1000000 --json >"$work/simulation.json"
simulate 1000000 --json --recall-at=9 >"$work/recall.json"
seconds=$(awk "BEGIN { printf \"%.1f\", ($(date +%s%N) - $began) / 2e9 }")
figure() { jq -r "\"figure: $1 \" + ($3 | tostring) + \" $2\"" "${4:-$work/simulation.json}"; }
figure scale_bytes_per_machine bytes '([.days[].bytes] | add) / .machines | round'
figure scale_requests_per_machine requests '([.days[].requests] | add) / .machines * 10 | round / 10'
figure scale_quiet_day_bytes_per_machine bytes '.days[-1].bytes / .machines | round'
figure scale_peak_requests_s requests/s '[.days[].peak_minute_requests] | max / 60 | round'
figure scale_peak_mbit_s Mbit/s '[.days[].peak_minute_bytes] | max * 8 / 60 / 1e6 | round'
figure scale_recall_minutes min '((.left | fromdate) - (.recalled | fromdate)) / 60' "$work/recall.json"
echo "figure: scale_simulation_s $seconds s"
