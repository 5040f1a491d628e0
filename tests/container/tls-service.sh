#!/usr/bin/env bash
# Gives a root file system that is not booted yet a TLS service to keep alive:
# Debian's own nginx.service with a file to serve on 127.0.0.1:PORT.
#
#   tls-service.sh setup ROOT PORT
#
# Every request costs a full handshake: no keepalive, no session to resume.
set -euo pipefail
umask 022

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/container/processes.sh
. "$here/processes.sh"

make_certificate() { # root
        local private=$1/etc/ssl/private/tls-service.key log
        log=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 \
                -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
                -keyout "$private" -out "$1/etc/ssl/certs/tls-service.pem" 2>&1) ||
                die "cannot make a certificate: $log"
        chmod 600 "$private"
}

write_site() { # root port
        mkdir -p "$1/srv/tls-service"
        printf 'still here\n' > "$1/srv/tls-service/index.txt"
        cat > "$1/etc/nginx/sites-available/tls-service" <<-SITE
		server {
		        listen 127.0.0.1:$2 ssl;
		        server_name localhost;
		        ssl_certificate /etc/ssl/certs/tls-service.pem;
		        ssl_certificate_key /etc/ssl/private/tls-service.key;
		        ssl_session_cache off;
		        ssl_session_tickets off;
		        keepalive_timeout 0;
		        root /srv/tls-service;
		        index index.txt;
		}
	SITE
        # The default site listens on every address.
        rm -f "$1/etc/nginx/sites-enabled/"*
        ln -s ../sites-available/tls-service "$1/etc/nginx/sites-enabled/tls-service"
}

enable_at_boot() { # root
        local wants=$1/etc/systemd/system/multi-user.target.wants
        mkdir -p "$wants"
        ln -sf /lib/systemd/system/nginx.service "$wants/nginx.service"
}

setup() { # root port
        [[ -d $1/etc/nginx/sites-enabled ]] || die "no nginx in '$1'"
        [[ $2 =~ ^[0-9]+$ ]] || die "not a port: '$2'"
        make_certificate "$1"
        write_site "$1" "$2"
        enable_at_boot "$1"
}

if [[ ${1:-} != setup || $# -ne 3 ]]; then
        sed -n '5s/^# *//p' "$0" >&2
        exit 2
fi
setup "$2" "$3"
