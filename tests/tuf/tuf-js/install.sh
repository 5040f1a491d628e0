#!/bin/bash
# Install tuf-js, once, and print where.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../npm-install.sh" "$here" tuf-js 20.17
