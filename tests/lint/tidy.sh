#!/bin/bash
# clang-tidy over the sources of a build, one case a file.
#
#     tidy.sh BUILD [JUNIT-FILE]
set -uo pipefail
build=$1 junit=${2:-/dev/null}
cd "$(dirname "$0")/../.."

check_file() {
        local log
        log=$(clang-tidy -quiet -p "$1" "$2" 2>/dev/null)
        if [ $? -eq 0 ]; then
                echo "<testcase classname=\"tidy\" name=\"$2\"/>"
        else
                echo "$log" >&2
                echo "<testcase classname=\"tidy\" name=\"$2\"><failure/></testcase>"
        fi
}
export -f check_file

# gcc's own warning names mean nothing to clang.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
sed 's/ -Wno-sign-conversion//g' "$build/compile_commands.json" >"$database/compile_commands.json"
cases=$(git ls-files 'src/*.c' bench/*.c | xargs -P 2 -I {} bash -c 'check_file "$1" "$2"' _ "$database" {})
printf '<testsuites><testsuite name="tidy">\n%s\n</testsuite></testsuites>\n' "$cases" >"$junit"
! grep -q '<failure/>' <<<"$cases"
