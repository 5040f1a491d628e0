#!/bin/sh
# The guest's process 1. The kernel's command line says in VM_RUN what is to be done: checks, cut, recover or install.
. /opt/test/common.sh

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
. "/opt/test/$VM_RUN.sh"
echo "run ends"
sync
reboot -f
