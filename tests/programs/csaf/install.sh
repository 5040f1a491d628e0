#!/bin/bash
# Install the CSAF validator, once, and print where.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../npm-install.sh" "$here" csaf 18.0
