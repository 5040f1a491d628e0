# All that is to be shown on one kernel, in the order of one device's life. What this kernel can do is said by its
# command line: VM_KERNEL, VM_BACKING (loop, file), VM_SWAP (stacked, beneath), VM_MAPS (text, query).

trace() { # name command...
        log=/run/$1.trace
        shift
        strace -f -qq -o "$log" -e trace=ioctl,fsconfig,openat "$@"
}

# A program of the device that maps the library of its time and waits for ever.
start_answer() { # name
        mkfifo "/run/$1.input"
        /usr/bin/answer <> "/run/$1.input" > "/run/$1.said" &
        echo $! > "/run/$1.pid"
        wait_for grep -q . "/run/$1.said"
}

wait_for() { # command...
        for _ in $(seq 50); do
                "$@" && return
                usleep 100000
        done
        refuse "in vain: $*"
}

pid_of() { cat "/run/$1.pid"; }
is_exposed() { grep -q "\"pid\": *$(pid_of "$1")\b" /run/exposure.json; }
not() { ! "$@"; }

the_kernel_is_the_one_asked_for() {
        uname -r
        case $(uname -r) in "$VM_KERNEL".*) ;; *) refuse "$(uname -r) is not $VM_KERNEL" ;; esac
}

install_lays_the_fixed_files_over_usr() {
        expect_usr baseline
        start_answer old
        publish a
        began=$(cut -d ' ' -f 1 /proc/uptime)
        suture install
        note install_seconds "$(awk -v began="$began" '{ print $1 - began }' /proc/uptime)"
        expect_usr a
        start_answer new
}

the_image_is_mounted_in_the_kernels_way() {
        [ "$(mounted_images)" = 1 ] || refuse "$(mounted_images) images are mounted"
        ls /sys/fs/erofs
        case $VM_BACKING in
        loop) grep -q "$state/images/" /sys/block/loop*/loop/backing_file || refuse "no loop device has the image" ;;
        file) [ "$(loops)" = 0 ] || refuse "the image is on a loop device" ;;
        esac
}

the_process_with_the_old_library_is_exposed() {
        suture --json exposure > /run/exposure.json || [ $? -eq 10 ] || refuse "$(cat /run/exposure.json)"
        cat /run/exposure.json
        is_exposed old || refuse "the process with the old library is not found"
}

the_process_with_the_new_library_is_not() {
        [ "$(cat /run/old.said) $(cat /run/new.said)" = "old new" ] || refuse "the libraries are not what they should be"
        not is_exposed new || refuse "the process with the new library is found"
}

exposure_reads_maps_in_the_kernels_way() {
        trace exposure suture exposure || true
        queries=$(grep -cE 'ioctl\(.*(0x66, 0x11|PROCMAP_QUERY).* = 0$' /run/exposure.trace || true)
        # O_PATH opens nothing: it only asks for the file system.
        opened=$(grep 'map_files/' /run/exposure.trace | grep -vc O_PATH || true)
        echo "$queries queries were answered, $opened mapped files opened"
        case $VM_MAPS in
        text) [ "$queries" = 0 ] && [ "$opened" -gt 0 ] ;;
        query) [ "$queries" -gt 0 ] && [ "$opened" = 0 ] ;;
        esac
}

no_open_fails_while_the_next_level_comes() {
        hammer /usr/share/fix/added.txt 'new
' /usr/lib/private/secret 'new
' /usr/share/untouched 'the same for ever
' > /run/hammer.said &
        hammer=$!
        usleep 500000
        publish b
        suture install
        usleep 500000
        kill -TERM "$hammer"
        wait "$hammer" || refuse "$(cat /run/hammer.said)"
        note hammer "$(cat /run/hammer.said)"
        expect_usr b
}

the_next_overlay_is_put_in_the_kernels_way() {
        case $VM_SWAP in
        stacked) wanted=2 ;;
        beneath) wanted=1 ;;
        esac
        [ "$(overlays)" = "$wanted" ] || refuse "$(overlays) overlays lie on /usr"
}

remove_brings_the_baseline_back() {
        suture remove
        expect_usr baseline
        [ "$(overlays)" = 0 ] || refuse "$(overlays) overlays still lie on /usr"
}

an_image_is_released_by_its_last_user() {
        [ "$(mounted_images)" -gt 0 ] || refuse "the image of a running program is gone"
        kill -KILL "$(pid_of new)" "$(pid_of old)"
        wait_for no_image_is_in_use
}

no_image_is_in_use() { [ "$(mounted_images) $(loops)" = "0 0" ]; }

# After the removal the images are in the store still; the traced command finds them there.
the_calls_are_those_of_the_kernels_way() {
        trace install suture install
        loops=$(grep -c 'LOOP_CONFIGURE.* = 0$' /run/install.trace || true)
        files=$(grep -cE 'FSCONFIG_SET_STRING, "source", "/proc/self/fd/' /run/install.trace || true)
        refused=$(grep -c 'FSCONFIG_CMD_CREATE.*ENOTBLK' /run/install.trace || true)
        suture remove
        echo "$files tries by file, $refused refused, $loops loop devices"
        case $VM_BACKING in
        loop) [ "$files $refused $loops" = "2 2 2" ] ;;
        file) [ "$files $refused $loops" = "2 0 0" ] ;;
        esac
}

# Rebuilt or refused, but never mounted.
a_damaged_image_is_never_mounted() {
        image=$(find "$state/images" -type f | head -n 1)
        before=$(sha256sum "$image")
        printf X | dd of="$image" bs=1 seek=5000 conv=notrunc 2> /dev/null
        [ "$(sha256sum "$image")" != "$before" ] || refuse "the image was not damaged"
        sync
        if suture install; then
                note damaged_image rebuilt
                [ "$(sha256sum "$image")" = "$before" ] || refuse "the image is still damaged"
                expect_usr b
                suture remove
        else
                note damaged_image refused
        fi
        expect_usr baseline
}

# In rounds: where overlays are stacked, each round ends with fifty of them.
two_hundred_swaps_under_load() {
        for _ in $(seq 4); do
                bench-swap beneath 50
        done > /run/bench
        awk '/^Suture, beneath/ { rounds++; swaps += $3; opens += $4; failed += $5; glimpses += $6 }
             END { print swaps " swaps, " opens " opens, " failed " failed, " glimpses " glimpses"
                   exit rounds != 4 || failed || glimpses }' /run/bench > /run/bench.sum || refuse "$(cat /run/bench.sum)"
        note swaps "$(cat /run/bench.sum)"
        wait_for no_image_is_in_use
}

try the_kernel_is_the_one_asked_for \
        install_lays_the_fixed_files_over_usr \
        the_image_is_mounted_in_the_kernels_way \
        the_process_with_the_old_library_is_exposed \
        the_process_with_the_new_library_is_not \
        exposure_reads_maps_in_the_kernels_way \
        no_open_fails_while_the_next_level_comes \
        the_next_overlay_is_put_in_the_kernels_way \
        remove_brings_the_baseline_back \
        an_image_is_released_by_its_last_user \
        the_calls_are_those_of_the_kernels_way \
        a_damaged_image_is_never_mounted \
        two_hundred_swaps_under_load
note verity "$(verity /opt/test/main.sh 2>&1)"
