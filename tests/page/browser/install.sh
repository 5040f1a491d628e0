#!/bin/bash
# Install playwright-core, once, and print where.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../npm-install.sh" "$here" browser 18.0
