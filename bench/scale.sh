#!/bin/bash
# What many machines cost the web server: a real improvement (as in the demo), and the simulation of `suture-publish simulate`
# for a thousand, a million and a thousand million machines: ten percent a day later, all on the third day; and a recall at nine
# percent. Of the thousand million, ten million are simulated: a machine's place in the roll-out and its times are digests of its
# number, so each of a hundred such parts asks the same, and all counts are a hundred times those of one. The table of
# docs/SCALE.md is what this prints.
set -euo pipefail
. "$(dirname "$0")/../demo/scenario.sh"

schedule=(1 % 2030-01-01 00:00Z, 10 % 2030-01-02 00:00Z, 100 % 2030-01-04 00:00Z)
sample=10000000 factor=100

simulate() { # simulate MACHINES OPTION...
        publisher simulate --machines="$1" "${@:2}" "${schedule[@]}"
}

row() { # row NAME FACTOR ROLLOUT RECALL
        jq -r --arg name "$1" --argjson f "$2" --slurpfile recall "$4" '
                def round2: if . >= 100 then round else (. * 100 | round / 100) end;
                def gb: . / 1e9 | if . < 1 then (. * 10000 | round / 10000) else round2 end;
                def most(f): [.days[] | f] | max;
                . as $rollout | $recall[0] as $r | .days[-1] as $quiet |
                [$name, $quiet.requests * $f, ($quiet.bytes * $f | gb),
                 ($quiet.peak_minute_requests * $f / 60 | round2), ([.days[].bytes] | add * $f | gb),
                 (most(.peak_minute_requests) * $f / 60 | round2), (most(.peak_minute_bytes) * $f * 8 / 60 / 1e6 | round2),
                 $r.had * $f, (($r | most(.peak_minute_requests)) * $f / 60 | round2),
                 (($r | most(.peak_minute_bytes)) * $f * 8 / 60 / 1e6 | round2),
                 (($r.left | fromdate) - ($r.recalled | fromdate)) / 60] | "| " + (map(tostring) | join(" | ")) + " |"' "$3"
}

scenario_begin
scenario_fetch_pair
scenario_make_baseline
scenario_publish >/dev/null
began=$(date +%s%N)
for machines in 1000 1000000 $sample; do
        simulate "$machines" --json >"$work/rollout-$machines.json"
        simulate "$machines" --json --recall-at=9 >"$work/recall-$machines.json"
done
seconds=$(awk "BEGIN { printf \"%.1f\", ($(date +%s%N) - $began) / 1e9 }")

echo "Of each machine:"
publisher check --json | jq -r '"the improvement: \(.baselines[0].objects) objects, \(.baselines[0].bytes) bytes"'
jq -r '.machines as $n | .days[-1] as $quiet | .days[-2] as $busy |
       "a quiet day: \($quiet.requests / $n) requests, \($quiet.bytes / $n) bytes",
       "all five days, with the installation: \(([.days[].requests] | add) / $n) requests, \(([.days[].bytes] | add) / $n) bytes"' \
        "$work/rollout-1000000.json"
echo
echo "| machines | quiet day: requests | GB | peak req/s | roll-out, 5 days: GB | peak req/s | peak Mbit/s | recall: had it | peak req/s | peak Mbit/s | all have left it after, min |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
row "10^3" 1 "$work/rollout-1000.json" "$work/recall-1000.json"
row "10^6" 1 "$work/rollout-1000000.json" "$work/recall-1000000.json"
row "10^9" $factor "$work/rollout-$sample.json" "$work/recall-$sample.json"
echo
simulate 1000000

figure() { jq -r "\"figure: $1 \" + ($3 | tostring) + \" $2\"" "${4:-$work/rollout-1000000.json}"; }
figure scale_bytes_per_machine bytes '([.days[].bytes] | add) / .machines | round'
figure scale_requests_per_machine requests '([.days[].requests] | add) / .machines * 10 | round / 10'
figure scale_quiet_day_bytes_per_machine bytes '.days[-1].bytes / .machines | round'
figure scale_peak_requests_s requests/s '[.days[].peak_minute_requests] | max / 60 | round'
figure scale_peak_mbit_s Mbit/s '[.days[].peak_minute_bytes] | max * 8 / 60 / 1e6 | round'
figure scale_recall_minutes min '((.left | fromdate) - (.recalled | fromdate)) / 60' "$work/recall-1000000.json"
echo "figure: scale_simulation_s $seconds s"
