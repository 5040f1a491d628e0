# On a Debian: install what its own repository offers.
suture install
note installed "$(cat /usr/lib/suture-test/level)"
