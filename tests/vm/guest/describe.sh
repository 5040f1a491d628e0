#!/bin/sh
# All that counts of a tree: each entry's kind and mode, owner, and content.
cd "$1" || exit 1
find . -exec stat -c '%f %u %g %n' {} + | sort -k 4
find . -type f -exec sha256sum {} + | sort -k 2
find . -type l -exec readlink {} + | sort
