# After a power cut: what the next boot finds, and whether it can go on from there.

is_usr() { (expect_usr "$1") > /dev/null; }

usr_is_the_old_one_or_the_new_one() {
        suture activate
        suture status > /run/status
        note found "$(sed -n 's/^State: *//p' /run/status); $(find "$state" -type f | wc -l) files in the store"
        case $VM_CHANGE in
        install) is_usr baseline || is_usr a ;;
        update) is_usr a || is_usr b ;;
        remove) is_usr a || is_usr baseline ;;
        esac || refuse "/usr is neither: $(cat /run/status)"
}

the_change_completes() {
        if [ "$VM_CHANGE" = remove ] && is_usr baseline; then
                publish a
                suture install
        fi
        begin_change
        case $VM_CHANGE in
        install) expect_usr a ;;
        update) expect_usr b ;;
        remove) expect_usr baseline ;;
        esac
        left=$(find "$state" -name '*.tmp' -o -name partial -type f)
        [ -z "$left" ] || refuse "left behind: $left"
}

remove_completes() {
        [ "$VM_CHANGE" = remove ] || suture remove
        expect_usr baseline
}

try usr_is_the_old_one_or_the_new_one the_change_completes remove_completes
