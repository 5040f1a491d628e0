#!/bin/bash
# The lengths of all instructions in some of the machine's own programs and libraries are what objdump
# says; prints TAP.
#
#     x86-objdump.sh X86-LENGTHS
#
# libc and libcrypto have functions for each generation of vector instructions, up to EVEX.
set -uo pipefail
lengths=$1
libraries=/usr/lib/x86_64-linux-gnu
files=("$libraries/libc.so.6" "$libraries/libcrypto.so.3" "$libraries/libstdc++.so.6" /bin/bash)

if [ "$(uname -m)" != x86_64 ]; then
        echo "1..0 # SKIP the machine's own programs are not x86-64"
        exit 0
fi
echo "1..${#files[@]}"
failures=0
for i in "${!files[@]}"; do
        if result=$(objdump -d -w -z "${files[i]}" | "$lengths"); then
                echo "ok $((i + 1)) - ${files[i]}: $result"
        else
                failures=$((failures + 1))
                echo "not ok $((i + 1)) - ${files[i]}"
                tail -n 20 <<<"$result" | sed 's/^/# /'
        fi
done
exit $((failures > 0))
