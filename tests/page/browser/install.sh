#!/bin/bash
# Install playwright-core from the npm registry, once, and print where: install.sh [CACHE]
#
# The exact version and digest stand in package-lock.json; a change there makes another directory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${SUTURE_CACHE:-/var/cache/suture-test}}

for program in node npm; do
        command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
name=browser-$(cat "$here/package-lock.json" "$here/driver.js" | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/browser.lock"
flock 9
if [ ! -e "$cache/$name" ]; then
        partial=$(mktemp -d "$cache/$name.XXXXXX")
        trap 'rm -rf "$partial"' EXIT
        cp "$here"/{package.json,package-lock.json,driver.js} "$partial/"
        (cd "$partial" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
                --cache "$partial/npm-cache" --fetch-retries 1 >install.log 2>&1) ||
                { echo "npm ci failed: $(grep -m 3 'npm error' "$partial/install.log" | paste -sd' ')" >&2; exit 1; }
        rm -rf "$partial/npm-cache"
        chmod 755 "$partial"
        mv "$partial" "$cache/$name"
        trap - EXIT
fi
echo "$cache/$name"
