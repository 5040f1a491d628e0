#!/usr/bin/env bash
# Gives a root file system that is not booted yet a user with a browser: GNOME's Epiphany,
# on a screen in memory, with a page that counts in its title for as long as it lives.
#
#   browser.sh packages        what the root file system must hold, by commas
#   browser.sh setup ROOT      makes the user alice, and these units; only the first is enabled:
#                              display.service, browser.service, second-browser.service
#   browser.sh titles          inside, booted: the titles of the browser's windows
#   browser.sh open FILE       inside, booted: asks the running browser for a new tab
#
# Each browser is a login session as a display manager makes one: logind knows it, and the
# browser is in its session-N.scope. WebKit's own sandbox is on.
set -euo pipefail
umask 022

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/container/processes.sh
. "$here/processes.sh"
user=alice
user_id=1000
display=:7
pages=/srv/pages

packages() {
        local packages=(epiphany-browser dbus-user-session libpam-systemd xvfb xdotool fonts-dejavu-core)
        local IFS=,
        printf '%s\n' "${packages[*]}"
}

# The colour of the background is unlike all that the browser itself paints.
write_page() { # file name colour
        cat > "$1" <<-PAGE
		<!doctype html>
		<meta charset="utf-8">
		<title>$2</title>
		<style>html { background: $3; color: white; font: 40px sans-serif } p { font-size: 14px }</style>
		<h1>$2: <span id="count">0</span></h1>
		<p id="engine"></p>
		<script>
		const life = Math.random().toString(36).slice(2, 10);
		let count = 0;
		document.getElementById("engine").textContent = navigator.userAgent;
		setInterval(() => {
		        count++;
		        document.getElementById("count").textContent = count;
		        document.title = "$2 " + life + " " + count;
		}, 250);
		</script>
	PAGE
}

write_browser() { # file argument...
        cat > "$1" <<-UNIT
		[Unit]
		Description=A session with a browser
		After=display.service systemd-user-sessions.service
		Requires=display.service
		[Service]
		User=$user
		PAMName=login
		WorkingDirectory=~
		Environment=DISPLAY=$display GDK_BACKEND=x11 GSK_RENDERER=cairo GTK_A11Y=none GSETTINGS_BACKEND=keyfile
		ExecStart=/usr/bin/epiphany ${*:2}
	UNIT
}

write_display() { # file
        cat > "$1" <<-UNIT
		[Unit]
		Description=A screen in memory
		[Service]
		RuntimeDirectory=screen
		ExecStart=/usr/bin/Xvfb $display -screen 0 1000x700x24 -nolisten tcp -ac -fbdir /run/screen
		[Install]
		WantedBy=multi-user.target
	UNIT
}

# Nothing is fetched: no lists for the advertisement blocker.
write_settings() { # home
        mkdir -p "$1/.config/glib-2.0/settings"
        cat > "$1/.config/glib-2.0/settings/keyfile" <<-SETTINGS
		[org/gnome/epiphany/web]
		enable-adblock=false
		[org/gnome/epiphany]
		ask-for-default=false
		restore-session-policy='crashed'
	SETTINGS
        chown -R "$user_id:$user_id" "$1/.config"
}

setup() { # root
        local name
        for name in epiphany Xvfb xdotool; do
                [[ -x $1/usr/bin/$name ]] || die "no $name in '$1'"
        done
        chroot "$1" /usr/sbin/useradd -m -u "$user_id" -s /bin/bash "$user"
        mkdir -p "$1$pages"
        write_page "$1$pages/first.html" first '#1f6f4a'
        write_page "$1$pages/second.html" second '#8a2be2'
        write_page "$1$pages/third.html" third '#b8860b'
        write_display "$1/etc/systemd/system/display.service"
        write_browser "$1/etc/systemd/system/browser.service" "file://$pages/first.html"
        # A browser in private mode does not hand the page to the one that runs.
        write_browser "$1/etc/systemd/system/second-browser.service" --incognito-mode "file://$pages/third.html"
        write_settings "$1/home/$user"
        systemctl --root="$1" -q enable display.service
}

# xdotool fails when there is no window.
titles() {
        DISPLAY=$display xdotool search --onlyvisible --name . getwindowname %@ 2> /dev/null || true
}

# The running browser hears of it over the message bus of its user.
open() { # file
        runuser -u "$user" -- env DISPLAY="$display" GDK_BACKEND=x11 GTK_A11Y=none GSETTINGS_BACKEND=keyfile \
                XDG_RUNTIME_DIR="/run/user/$user_id" HOME="/home/$user" \
                DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$user_id/bus" \
                epiphany "file://$pages/$1"
}

case ${1:-}/$# in
packages/1|setup/2|titles/1|open/2) "$@" ;;
*)
        sed -n '6,10s/^# *//p' "$0" >&2
        exit 2
        ;;
esac
