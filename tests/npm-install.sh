#!/bin/bash
# Install what a directory's package-lock.json names from the npm registry, once, and print where:
#
#     npm-install.sh DIRECTORY NAME OLDEST-NODE
#
# The directory's scripts go with it. The exact versions and digests stand in package-lock.json; a change there, or of a
# script, makes another place, named after NAME, below $SUTURE_CACHE.
set -euo pipefail
directory=$1 name=$2 oldest=$3
cache=${SUTURE_CACHE:-/var/cache/suture-test}

for program in node npm; do
        command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
node -e 'const [a, b] = process.versions.node.split(".").map(Number), [c, d] = process.argv[1].split(".").map(Number);
         process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$oldest" ||
        { echo "node is older than $oldest: $(node --version)" >&2; exit 1; }
place=$cache/$name-$(cat "$directory/package-lock.json" "$directory"/*.js | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/$name.lock"
flock 9
if [ ! -e "$place" ]; then
        partial=$(mktemp -d "$place.XXXXXX")
        trap 'rm -rf "$partial"' EXIT
        cp "$directory"/{package.json,package-lock.json,*.js} "$partial/"
        (cd "$partial" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
                --cache "$partial/npm-cache" --fetch-retries 1 >install.log 2>&1) ||
                { echo "npm ci failed: $(grep -m 3 'npm error' "$partial/install.log" | paste -sd' ')" >&2; exit 1; }
        rm -rf "$partial/npm-cache"
        chmod 755 "$partial"
        mv "$partial" "$place"
        trap - EXIT
fi
echo "$place"
