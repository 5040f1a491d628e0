#!/bin/bash
# From "install" to "no process exposed", on a real device with a real fix, several times; the peer, in
# the same run on the same device, is dpkg with the same packages.
set -euo pipefail
. "$(dirname "$0")/../demo/scenario.sh"
rounds=${1:-5}

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

restart_what_waits() {
        local unit
        for unit in $(jq -r '.remaining[] | select(.action | IN("wait", "reboot", "soft-reboot")) | .unit // empty' "$1"); do
                on_device systemctl restart "$unit"
        done
}

round_of_suture() {
        local began
        on_device rm -rf /var/lib/suture/images /var/lib/suture/downloads
        began=$(now_ms)
        suture install --json >"$work/install.json"
        restart_what_waits "$work/install.json"
        echo $(($(now_ms) - began)) >>"$work/suture.ms"
        [ "$(exposed_count)" -eq 0 ] || { echo "somebody is exposed after the install" >&2; exit 1; }
        jq '.swap_us' "$work/install.json" >>"$work/swap.us"
        suture remove --json >"$work/remove.json"
        restart_what_waits "$work/remove.json"
}

# dpkg restarts nothing that maps the library: the same units are restarted by name, as needrestart would.
round_of_dpkg() {
        local began
        began=$(now_ms)
        on_device sh -c 'dpkg -i /mnt/packages/new/*.deb >/dev/null 2>&1 &&
                systemctl daemon-reexec &&
                systemctl restart nginx.service systemd-journald.service systemd-logind.service'
        echo $(($(now_ms) - began)) >>"$work/dpkg.ms"
        on_device sh -c 'dpkg -i --force-downgrade /mnt/packages/old/*.deb >/dev/null 2>&1'
        on_device systemctl restart nginx.service
}

scenario_begin
scenario_fetch_pair
scenario_make_baseline
scenario_publish >/dev/null
scenario_boot_device
# Nobody watches after dpkg's restarts, either.
mkdir "$work/device/etc/suture/suture.conf.d"
printf '[Watch]\nTime=0\n' >"$work/device/etc/suture/suture.conf.d/bench.conf"
on_device mkdir -p /mnt/packages/new /mnt/packages/old
cp $PAIR_NEW_DEBS "$work/device/mnt/packages/new/"
cp $PAIR_OLD_DEBS "$work/device/mnt/packages/old/"
for _ in $(seq "$rounds"); do round_of_suture; done
for _ in $(seq "$rounds"); do round_of_dpkg; done

download_bytes=$(jq .download_bytes "$work/install.json")
suture_ms=$(median <"$work/suture.ms")
dpkg_ms=$(median <"$work/dpkg.ms")
printf '%-10s %12s %26s\n' "" "bytes" "until nobody runs old code"
printf '%-10s %12s %23s ms\n' suture "$download_bytes" "$suture_ms" dpkg "$package_bytes" "$dpkg_ms"
echo "$rounds rounds each, medians; the download comes from this machine"
echo "figure: install_s $(awk "BEGIN { printf \"%.2f\", $suture_ms / 1000 }") s"
echo "figure: install_vs_dpkg $(awk "BEGIN { printf \"%.2f\", $suture_ms / $dpkg_ms }") ratio"
echo "figure: install_swap_ms $(median <"$work/swap.us" | awk '{ printf "%.3f", $1 / 1000 }') ms"
echo "figure: download_bytes $download_bytes bytes"
echo "figure: package_bytes $package_bytes bytes"
