#!/bin/bash
# Install tuf-js from the npm registry, once, and print where: install.sh [CACHE]
#
# The exact versions and digests stand in package-lock.json; a change there makes another directory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${SUTURE_CACHE:-/var/cache/suture-test}}

command -v npm >/dev/null || { echo "npm is not installed" >&2; exit 1; }
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 17) ? 0 : 1)' ||
        { echo "node is older than 20.17: $(node --version)" >&2; exit 1; }
name=tuf-js-$(cat "$here/package-lock.json" "$here/client.js" | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/tuf-js.lock"
flock 9
if [ ! -e "$cache/$name" ]; then
        partial=$(mktemp -d "$cache/$name.XXXXXX")
        trap 'rm -rf "$partial"' EXIT
        cp "$here"/{package.json,package-lock.json,client.js} "$partial/"
        (cd "$partial" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
                --cache "$partial/npm-cache" --fetch-retries 1 >install.log 2>&1) ||
                { echo "npm ci failed: $(grep -m 3 'npm error' "$partial/install.log" | paste -sd' ')" >&2; exit 1; }
        rm -rf "$partial/npm-cache"
        chmod 755 "$partial"
        mv "$partial" "$cache/$name"
        trap - EXIT
fi
echo "$cache/$name"
