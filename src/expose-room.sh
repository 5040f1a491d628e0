#!/bin/sh
# Make an include path that shows one room and nothing else: DIR/NAME -> ROOM. Prints DIR.
set -eu
room=$1 dir=$2 name=$3
mkdir -p "$dir/$(dirname "$name")"
ln -sfn "$room" "$dir/$name"
printf '%s\n' "$dir"
