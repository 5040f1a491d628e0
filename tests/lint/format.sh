#!/bin/bash
# Every C file looks as clang-format leaves it; prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
echo 1..1
if ! command -v clang-format >/dev/null; then
        echo "ok 1 - format # SKIP clang-format is not installed"
        exit 0
fi
mapfile -d '' files < <(git ls-files -z '*.[ch]')
if [ ${#files[@]} -gt 0 ] && clang-format --dry-run -Werror "${files[@]}"; then
        echo "ok 1 - format"
else
        echo "not ok 1 - format"
        exit 1
fi
