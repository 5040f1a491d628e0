#!/bin/bash
# Install s3rver from npm, once, and print where.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../npm-install.sh" "$here" s3rver 14.0
