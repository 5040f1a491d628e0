# A change during which the power goes: VM_CHANGE is install, update or remove.
[ "$VM_CHANGE" = install ] || {
        publish a
        suture install
        sync
}
echo "here it begins"
begin_change
