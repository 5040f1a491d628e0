# All that is to be shown on one kernel, in the order of one device's life. What this kernel can do is said by its
# command line: VM_KERNEL, VM_BACKING (loop, file), VM_SWAP (stacked, beneath), VM_MAPS (text, query).

trace() { # name command...
        log=/run/$1.trace
        shift
        strace -f -qq -y -o "$log" -e trace=ioctl,fsconfig,openat,pread64 "$@"
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

forget_what_was_read() { sync; echo 3 > /proc/sys/vm/drop_caches; }

# That of the first level, and of the second one, too, which has one more.
image() { cat /run/image; }
enforcement() { suture --json status | sed -n 's/.*"seal_enforcement": *\("[a-z]*"\|null\).*/\1/p'; }
expect_enforcement() { [ "$(enforcement)" = "$1" ] || refuse "seal_enforcement is $(enforcement)"; }

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
        find "$state/images" -type f > /run/image
        ls /sys/fs/erofs
        case $VM_BACKING in
        loop) grep -q "$state/images/" /sys/block/loop*/loop/backing_file || refuse "no loop device has the image" ;;
        file) [ "$(loops)" = 0 ] || refuse "the image is on a loop device" ;;
        esac
}

the_kernel_enforces_the_seal() {
        expect_enforcement '"kernel"'
        suture status | grep '^Seals: .*kernel'
        not sh -c ": >> '$(image)'" 2> /dev/null || refuse "the image can be written"
}

expect_pages() { # what is to be said of either way of reading
        pages /usr/lib/fix.dat /run/good > /run/pages
        cat /run/pages
        [ "$(grep -c ": $1\$" /run/pages)" = 2 ] || refuse "$(cat /run/pages)"
}

# The image lies on /dev/vda; what programs read is in the overlay.
a_block_changed_on_disk_is_never_read() {
        cat /usr/lib/fix.dat > /run/good
        expect_pages '49 right, 0 refused, 0 wrong'
        locate "$(image)" /run/good > /run/damage
        flip /dev/vda "$(cat /run/damage)"
        forget_what_was_read
        expect_pages '4[0-8] right, [1-9] refused, 0 wrong' # reading ahead fails as a whole
        not cat /usr/lib/fix.dat > /dev/null 2> /run/why || refuse "all of it was read"
        grep 'Input/output error' /run/why
        note damaged_block "$(cat /run/pages)"
}

verify_finds_the_changed_block() {
        suture verify > /run/verify || [ $? -eq 33 ] || refuse "$(cat /run/verify)"
        grep 'damaged: the kernel refuses' /run/verify
        flip /dev/vda "$(cat /run/damage)"
        forget_what_was_read
        expect_pages '49 right, 0 refused, 0 wrong'
        suture verify
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

# What is sealed need not be read to be known: a boot waits for it.
a_sealed_image_is_not_read_at_boot() {
        suture install
        umount -l /usr
        expect_usr baseline
        trace activate suture activate
        expect_usr b
        grep 'ioctl(.*/images/.*erofs>.*= 0$' /run/activate.trace
        not grep 'pread64(.*/images/.*erofs>' /run/activate.trace || refuse "the image was read"
        suture remove
}

# As after a kill between the sealing and the naming: it can be replaced, but not be written.
a_sealed_leftover_is_no_obstacle() {
        cp "$(image)" "$state/images/partial"
        verity "$state/images/partial"
        rm "$state"/images/*.erofs
        suture install
        expect_usr b
        expect_enforcement '"kernel"'
        [ ! -e "$state/images/partial" ] || refuse "it is still there"
        suture remove
}

a_damaged_sealed_image_is_made_anew() {
        locate "$(image)" /run/good > /run/damage
        flip /dev/vda "$(cat /run/damage)"
        forget_what_was_read
        suture install
        expect_usr b
        suture verify
        suture remove
}

# As they were stored before kernels were asked to seal them.
images_that_are_not_sealed_are_verified_and_used() {
        for image in "$state"/images/*.erofs; do
                cp "$image" "$state/images/copy"
                mv "$state/images/copy" "$image"
        done
        suture install
        expect_usr b
        expect_enforcement '"activation"'
        suture remove
        expect_enforcement null
}

# Rebuilt or refused, but never mounted.
a_damaged_image_is_never_mounted() {
        image=$(image)
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

# Another device, as it were: its state is on a disk whose file system cannot seal.
without_fs_verity_the_seal_is_verified_by_us() {
        mount -o loop /opt/plain.ext4 "$state"
        suture install
        expect_usr b
        expect_enforcement '"activation"'
        suture verify
        suture remove
        expect_usr baseline
        wait_for umount "$state"
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
        the_kernel_enforces_the_seal \
        a_block_changed_on_disk_is_never_read \
        verify_finds_the_changed_block \
        the_process_with_the_old_library_is_exposed \
        the_process_with_the_new_library_is_not \
        exposure_reads_maps_in_the_kernels_way \
        no_open_fails_while_the_next_level_comes \
        the_next_overlay_is_put_in_the_kernels_way \
        remove_brings_the_baseline_back \
        an_image_is_released_by_its_last_user \
        the_calls_are_those_of_the_kernels_way \
        a_sealed_image_is_not_read_at_boot \
        a_sealed_leftover_is_no_obstacle \
        a_damaged_sealed_image_is_made_anew \
        images_that_are_not_sealed_are_verified_and_used \
        a_damaged_image_is_never_mounted \
        without_fs_verity_the_seal_is_verified_by_us \
        two_hundred_swaps_under_load
note verity "$(verity /opt/test/main.sh 2>&1)"
