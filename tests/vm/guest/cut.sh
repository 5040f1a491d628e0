# An install during which the power goes.
publish a
suture install
