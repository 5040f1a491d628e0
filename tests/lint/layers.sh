#!/bin/bash
# The rooms of the house keep to what they may use; prints TAP.
#
#     layers.sh BUILD
#
# A forbidden include must not compile, with exactly the flags that the room's own files have; and a
# system library is included only by the room that wraps it.
set -uo pipefail
build=$1
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

report() { # report RESULT NAME
        number=$((number + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $number - $2"
        else
                echo "not ok $number - $2"
                failures=$((failures + 1))
        fi
}

# The command that compiles a file of the room, with another file in its place.
command_for() { # command_for ROOM-FILE OTHER-FILE
        python3 - "$build" "$PWD/$1" "$2" <<'END'
import json, os, shlex, sys

build, wanted, other = sys.argv[1:]
for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
    path = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
    if path == os.path.realpath(wanted):
        words = shlex.split(entry["command"])
        kept, skip = [], False
        for word in words[:-1]:  # the last is the source
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MQ"):
                skip = True
            elif word not in ("-c", "-MD"):
                kept.append(word)
        print("cd", shlex.quote(entry["directory"]), "&&",
              shlex.join(kept + ["-fsyntax-only", "-x", "c", other]))
        break
else:
    sys.exit(f"{wanted} is not in compile_commands.json")
END
}

compiles() { # compiles ROOM-FILE HEADER
        local command
        printf '#include "%s"\n' "$2" >"$scratch/probe.c"
        command=$(command_for "$1" "$scratch/probe.c") || return 2
        bash -c "$command" 2>"$scratch/log"
}

may_include() {
        compiles "$1" "$2" || { sed 's/^/# /' "$scratch/log"; false; }
        report $? "$1 may include $2"
}

may_not_include() {
        compiles "$1" "$2"
        # 1 is the compiler's "no"; it must be for want of the file, which does exist elsewhere.
        [ $? -eq 1 ] && [ -f "src/$2" ] && grep -q "$2.*\(No such file\|not found\)" "$scratch/log"
        report $? "$1 may not include $2"
}

may_not_include src/base/error.c crypto/sha256.h
may_not_include src/base/file.c json/json.h
may_not_include src/crypto/sha256.c json/json.h
may_not_include src/json/json.c crypto/sha256.h
may_not_include src/inventory/os.c json/json.h
may_not_include src/transparency/proof.c json/json.h
may_not_include src/transparency/tiles.c fetch/fetch.h
may_not_include src/delta/elf/x86.c delta/apply/apply.h
may_not_include src/delta/apply/apply.c delta/make/make.h
may_not_include src/delta/apply/apply.c device/engine.h
may_not_include src/delta/make/make.c image/build.h
may_not_include src/image/seal.c delta/apply/apply.h
may_not_include src/trust/client.c fetch/fetch.h
may_not_include src/trust/client.c improvement/manifest.h
may_not_include src/improvement/manifest.c trust/client.h
may_not_include src/fetch/fetch.c trust/client.h
may_not_include src/sandbox/worker.c fetch/fetch.h
may_not_include src/fetch/tool/main.c device/engine.h
may_not_include src/device/engine.c delta/make/make.h
may_not_include src/device/engine.c cli/output.h
may_not_include src/layers/layers.c exposure/exposure.h
may_not_include src/exposure/exposure.c restart/plan.h
may_not_include src/restart/plan.c device/engine.h
may_not_include src/cli/main.c delta/apply/apply.h
may_not_include src/cli/main.c publish/tool/verbs.h
may_not_include src/publish/tool/main.c device/engine.h
may_not_include src/publish/draft/deltas.c publish/keys/keyring.h
may_not_include src/publish/checks/checks.c publish/draft/content.h
may_not_include src/publish/debian/apt.c improvement/manifest.h
may_not_include src/publish/keys/keyring.c publish/store/workspace.h
may_not_include src/publish/signing/staging.c publish/tool/verbs.h
may_not_include src/publish/advisory/page.c publish/signing/publishing.h
may_not_include src/publish/tool/main.c layers/layers.h
may_not_include src/tuf/main.c improvement/manifest.h
may_not_include src/log/audit.c trust/client.h
may_not_include src/transparency/proof.c improvement/statement.h
may_not_include src/daemon/manager.c device/engine.h
may_not_include src/daemon/run.c cli/verbs.h

may_include src/base/error.c base/text.h
may_include src/delta/make/make.c delta/apply/format.h
may_include src/transparency/key.c crypto/public_key.h
may_include src/trust/client.c json/json.h
may_include src/device/engine.c delta/apply/apply.h
may_include src/cli/main.c device/engine.h
may_include src/publish/tool/main.c delta/make/make.h

# The first argument is a pattern of what is included, the others are where it may stand.
only_in() {
        local pattern=$1 found
        shift
        found=$(git grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$pattern" -- 'src/*.[ch]' \
                "${@/#/:(exclude)}")
        [ -z "$found" ] || sed 's/^/# /' <<<"$found"
        [ -z "$found" ]
        report $? "<$pattern> only in $*"
        git grep -qE "#include <$pattern" -- "$@"
        report $? "<$pattern> is found where it may stand"
}

only_in 'openssl/' src/crypto
only_in 'curl/' src/fetch src/publish/upload
only_in 'jansson\.h' src/json
only_in 'libfsverity\.h' src/image
only_in 'zstd\.h' src/delta
only_in 'seccomp\.h' src/sandbox
only_in 'gelf\.h' src/publish/checks
only_in 'systemd/' src/restart src/daemon src/cli/agent.c 'src/cli/click.[ch]' src/cli/journal.c src/cli/notify.c
only_in '(adwaita|gio/|glib|gtk)' src/settings

! git grep -nE '#[[:space:]]*include[[:space:]]*"\.\./' -- '*.[ch]' | sed 's/^/# /' | grep .
report $? 'no include leads up by "../'

echo "1..$number"
exit "$((failures > 0))"
