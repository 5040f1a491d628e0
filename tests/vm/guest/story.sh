#!/bin/sh
# The last unit of a boot of systemd: says what this boot is like.
say() { echo "note $*" > /dev/console; }

show() { systemctl show "$1" -p "$2" --value; }

# The mark comes at the end of a boot, as this does.
for _ in $(seq 100); do
        [ "$(show suture-healthy.service ActiveState)" != activating ] && break
        sleep 0.1
done

say early "$(cat /run/early)"
say level "$(cat /usr/lib/suture-test/level)"
say state "$(suture status | sed -n 's/^State: *//p')"
say seals "$(suture status | sed -n 's/^Seals: *//p')"
say boots "$(suture --json status | sed -n 's/.*"boots_without_mark": *\([0-9]*\).*/\1/p')"
say activation "$(show suture-activate.service Result) $(show suture-activate.service ConditionResult)"
say healthy "$(show suture-healthy.service ActiveState)"
say cycles "$(journalctl -b -o cat | grep -c 'ordering cycle')"
say milliseconds "$((($(show suture-activate.service ExecMainExitTimestampMonotonic) -
        $(show suture-activate.service ExecMainStartTimestampMonotonic)) / 1000))"
say over yes
systemctl poweroff --force
