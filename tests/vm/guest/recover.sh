# After a power cut: what the next boot finds, and whether it can go on from there.

usr_is_the_old_one_and_status_works() {
        expect_usr baseline
        suture status > /run/status
        note found "$(sed -n 's/^State: *//p' /run/status); $(find "$state" -type f | wc -l) files in the store"
}

install_completes() {
        publish a
        suture install
        expect_usr a
        left=$(find "$state" -name '*.tmp' -o -name partial -type f)
        [ -z "$left" ] || refuse "left behind: $left"
}

remove_completes() {
        suture remove
        expect_usr baseline
}

try usr_is_the_old_one_and_status_works install_completes remove_completes
