# To be sourced by all that runs in the guest.
export PATH=/opt/suture/bin:/opt/test:/bin HOME=/
state=/var/lib/suture

# One line for each case: what a failed one said last is why.
try() { # case...
        for name; do
                (set -e; "$name") > /run/said 2>&1
                if [ $? -eq 0 ]; then
                        echo "case $name ok"
                else
                        echo "case $name FAILED $(tail -n 1 /run/said)"
                        sed 's/^/    /' /run/said
                fi
        done
}

note() { echo "note $*" > /dev/console; }
refuse() { echo "$*"; exit 1; }

expect_usr() { # level
        describe.sh /usr > /run/usr
        cmp -s "/opt/test/usr-$1" /run/usr || {
                diff "/opt/test/usr-$1" /run/usr || true
                refuse "/usr is not that of $1"
        }
}

# The repository as it was when its newest level was this one.
publish() { ln -sfn "/opt/repositories/$1" /opt/repository; }

begin_change() {
        case $VM_CHANGE in
        install) publish a && suture install ;;
        update) publish b && suture install ;;
        remove) suture remove ;;
        esac
}

overlays() { grep -c ' /usr .* suture:' /proc/self/mountinfo || true; }
loops() { cat /sys/block/loop*/loop/backing_file 2> /dev/null | wc -l; }
mounted_images() { find /sys/fs/erofs -mindepth 1 -maxdepth 1 ! -name features | wc -l; }
