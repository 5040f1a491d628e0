#!/bin/bash
# What the deltas of several baselines cost the publisher, as jobs: a real improvement (as in the demo) for four baselines, which
# differ by their names. One at a time; as many as there are processors; as a job array of Slurm on this machine, where it is
# installed. Each way makes all of them anew.
set -euo pipefail
. "$(dirname "$0")/../demo/scenario.sh"
baselines=4 processors=$(nproc)

seconds_of() { # seconds_of NAME COMMAND...: real and processor seconds, into NAME_s and NAME_cpu_s
        local name=$1 TIMEFORMAT="%R %U %S"
        { time "${@:2}" >"$work/$name.log" 2>&1; } 2>"$work/$name.time" || { cat "$work/$name.log" >&2; return 1; }
        read -r real user system <"$work/$name.time"
        awk "BEGIN { printf \"| %s | %.1f | %.1f |\\n\", \"$name\", $real, $user + $system }"
        echo "figure: jobs_${name}_s $real s" >>"$work/figures"
        echo "figure: jobs_${name}_cpu_s $(awk "BEGIN { print $user + $system }") s" >>"$work/figures"
}

anew() { rm -rf "$work/publisher/deltas"; publisher plan ${1:-} >/dev/null; }

by_slurm() {
        PYTHONPATH=$source_dir/tests/programs /usr/bin/python3 -B - "$work" "$work/publisher/jobs/array.sh" <<'PYTHON'
import pathlib, sys, time
import slurm
top = pathlib.Path(sys.argv[1], "slurm")
top.mkdir()
cluster = slurm.Slurm(top)
try:
    began = time.monotonic()
    cluster.submit(sys.argv[2])
    print(f"{time.monotonic() - began:.1f}")
finally:
    cluster.stop()
PYTHON
}

scenario_begin
scenario_fetch_pair
scenario_make_baseline
publisher init
for ((i = 1; i <= baselines; i++)); do
        tree=$work/tree-$i
        cp -al "$work/baseline" "$tree"
        os_release=$(readlink -f "$tree/etc/os-release")
        case $os_release in "$tree"/*) ;; *) os_release=$tree/usr/lib/os-release ;; esac
        sed "s/^VERSION_ID=.*/VERSION_ID=\"12.$i\"/" "$os_release" >"$work/os-release"
        rm "$os_release" && cp "$work/os-release" "$os_release"
        publisher baseline --tree "$tree" >/dev/null
done
for record in "$work"/publisher/baselines/*.json; do
        name=$(basename "$record" .json)
        i=$(jq -r '.os_version' "$record" | grep -o '[0-9]*$')
        publisher build --later --baseline "$name" --tree "$work/tree-$i" --component "$PAIR_COMPONENT" $PAIR_NEW_DEBS >/dev/null
done
publisher plan --json >"$work/plan.json"
jobs=$(jq '.jobs | length' "$work/plan.json")
echo "$baselines baselines, $jobs deltas, $(jq '[.jobs[].bytes] | add' "$work/plan.json") bytes of sources and targets, $processors processors"
echo "| how | seconds | of processors |"
echo "| --- | --- | --- |"
anew
seconds_of one_by_one publisher run
echo "figure: jobs_cpu_per_delta_s $(awk -v n="$jobs" '/one_by_one_cpu/ { print $3 / n }' "$work/figures") s" >>"$work/figures"
anew
seconds_of parallel publisher run --jobs="$processors"
publisher plan >/dev/null
seconds_of nothing_left publisher run --jobs="$processors"
if command -v slurmctld slurmd munged sbatch >/dev/null; then
        anew --slurm
        slurm_s=$(by_slurm)
        echo "| slurm, an array on one node | $slurm_s | |"
        echo "figure: jobs_slurm_s $slurm_s s" >>"$work/figures"
else
        echo "| slurm | not installed | |"
fi
for record in "$work"/publisher/baselines/*.json; do publisher release --baseline "$(basename "$record" .json)" >/dev/null; done
publisher check >/dev/null
cat "$work/figures"
