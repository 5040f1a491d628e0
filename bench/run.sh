#!/bin/bash
# Run all benches, or the one that is named: `make bench`, `make bench-swap`. Each prints a table and, as
# its last lines, "figure: NAME VALUE UNIT".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build_dir=${SUTURE_BUILD:-$here/../build}

bench_swap() { "$build_dir/bench/bench-swap" 1000 200; }
bench_install() { "$here/install.sh"; }
bench_scan() { "$here/scan.sh"; }
bench_check() { "$here/check.sh"; }
bench_boot() { "$here/boot.sh"; }
bench_agent() { "$here/agent.sh"; }
bench_delta() { "$here/delta/run.sh"; }
bench_scale() { "$here/scale.sh"; }
bench_jobs() { "$here/jobs.sh"; }

all="swap scan install check boot agent scale jobs delta"
for name in ${*:-$all}; do
        declare -F "bench_$name" >/dev/null || { echo "no bench '$name'; there are: $all" >&2; exit 2; }
        printf '\n== bench-%s\n' "$name"
        "bench_$name"
done
