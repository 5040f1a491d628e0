#!/bin/bash
# All tests: `make test`. Each stage leaves a JUnit file; the last line counts what they say.
#
#   unit, lint, fuzz corpora   built by gcc, and again by clang with ASan and UBSan
#   programs                   the real programs on small trees, with the sanitizers
#   order                      a publisher killed at each step, whose programs are traced: without the sanitizers
#   bus                        the agent on a system bus of its own, with polkit
#   faults                     killed, power cut, failing calls, no memory: a sample of `make faults`
#   settings                   the settings panel on a screen of its own, used as a screen reader does
#   page                       the page for Cockpit, in Chromium
#   tuf                        suture-tuf against repositories good and bad, with the sanitizers
#   container                  the real programs on real systemd, in a Debian 12 container
#   vm                         the real programs, and whole boots, on Debian's 6.1 and 6.12 kernels, in QEMU
#   tidy                       clang-tidy over src
#
# SUTURE_TESTS names the stages to run, all when unset. What needs root says so and is counted as skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
results=$PWD/build-test/results
stages=${SUTURE_TESTS:-gcc sanitizers programs order bus faults container settings page tuf tidy vm}
failed_stages=()

say() { printf '\n== %s\n' "$*"; }

# configure DIR CC OPTION...
configure() {
        local dir=$1 compiler=$2
        shift 2
        if [ -f "$dir/build.ninja" ]; then
                ninja -C "$dir" >"$dir.log" 2>&1
        else
                CC=$compiler meson setup "$dir" "$@" >"$dir.log" 2>&1 && ninja -C "$dir" >>"$dir.log" 2>&1
        fi || { tail -n 40 "$dir.log"; return 1; }
}

# meson's own JUnit file has each single case.
run_meson_tests() { # run_meson_tests DIR NAME
        local status=0
        meson test -C "$1" --no-rebuild --print-errorlogs --num-processes 2 || status=$?
        cp "$1/meson-logs/testlog.junit.xml" "$results/$2.xml"
        return $status
}

run_pytest() { # run_pytest NAME BUILD ARGUMENT...
        SUTURE_BUILD=$PWD/$2 /usr/bin/python3 -B -m pytest -p no:cacheprovider -q \
                --junitxml="$results/$1.xml" -o junit_family=xunit1 "${@:3}"
}

# Each half has processes of its own: those of the other one would be found exposed.
run_halves() { # run_halves NAME BUILD PATTERN PATTERN
        local half status=0
        # shellcheck disable=SC2086 # the patterns become files here
        run_pytest "$1-1" "$2" $3 >"$results/half" 2>&1 &
        half=$!
        # shellcheck disable=SC2086
        run_pytest "$1-2" "$2" $4 || status=$?
        wait "$half" || status=$?
        cat "$results/half"
        return $status
}

stage_gcc() {
        configure build-test/gcc gcc && run_meson_tests build-test/gcc gcc
}

stage_sanitizers() {
        configure build-test/sanitizers clang -Db_sanitize=address,undefined -Db_lundef=false &&
                ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
                        run_meson_tests build-test/sanitizers sanitizers
}

stage_programs() {
        configure build-test/sanitizers clang -Db_sanitize=address,undefined -Db_lundef=false &&
                UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
                        run_halves programs build-test/sanitizers "tests/programs/test_[a-ct-z]*.py" \
                                "tests/programs/test_[d-oq-s]*.py tests/programs/test_pa*.py tests/programs/test_publisher*.py"
}

stage_order() {
        configure build-test/gcc gcc && run_pytest order build-test/gcc -n 2 tests/programs/test_publish_order.py
}

stage_bus() {
        configure build-test/sanitizers clang -Db_sanitize=address,undefined -Db_lundef=false &&
                UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
                        run_pytest bus build-test/sanitizers tests/bus
}

stage_settings() {
        configure build-test/sanitizers clang -Db_sanitize=address,undefined -Db_lundef=false &&
                UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
                        run_pytest settings build-test/sanitizers tests/settings
}

stage_page() {
        configure build-test/gcc gcc && run_halves page build-test/gcc "tests/page/test_[at]*.py" tests/page/test_page.py
}

stage_faults() {
        configure build-test/gcc gcc && run_pytest faults build-test/gcc -n 2 tests/faults
}

stage_tuf() {
        configure build-test/sanitizers clang -Db_sanitize=address,undefined -Db_lundef=false &&
                UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
                        run_pytest tuf build-test/sanitizers -n 2 tests/tuf
}

stage_container() {
        configure build-test/gcc gcc && run_pytest container build-test/gcc -n 3 --dist loadfile tests/container
}

stage_vm() {
        configure build-test/gcc gcc && run_pytest vm build-test/gcc -n 2 --dist loadgroup tests/vm
}

stage_tidy() {
        configure build-test/gcc gcc && tests/lint/tidy.sh build-test/gcc "$results/tidy.xml"
}

# The containers mostly wait: others run beside them.
start_containers() {
        configure build-test/gcc gcc || return 1
        stage_container >"$results/container.log" 2>&1 &
        containers=$!
}

finish_containers() {
        [ -n "$containers" ] || return 0
        wait "$containers" || failed_stages+=(container)
        containers=
        say container
        cat "$results/container.log"
}

rm -rf "$results"
mkdir -p "$results"
containers=
for stage in $stages; do
        case $stage in
        container) start_containers || failed_stages+=(container); continue ;;
        settings|page|tuf|tidy) ;;
        *) finish_containers ;;
        esac
        say "$stage"
        "stage_$stage" || failed_stages+=("$stage")
done
finish_containers

say "Result"
[ ${#failed_stages[@]} -eq 0 ] || echo "Stages that failed: ${failed_stages[*]}"
/usr/bin/python3 -B tests/count.py "$results" "${failed_stages[@]}"
