#!/usr/bin/env bash
# A real static web server for a publisher's repository, on 127.0.0.1:PORT: the
# nginx of an unpacked root file system, which stays as it is.
#
#   web-server.sh start ROOT REPOSITORY PORT STATE
#   web-server.sh stop STATE
#
# STATE is made if need be, and holds access.log, error.log and the process id
# (file "server"). Fields of access.log, by tabs: seconds since 1970, method, path,
# status, bytes of the body, Range, If-None-Match, If-Modified-Since ("-": not sent).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/container/processes.sh
. "$here/processes.sh"
start_seconds=15

# Workers keep root's identity: a repository made under a strict umask is served too.
write_config() { # port token
        cat > "$state/nginx.conf" <<-CONF
		user root;
		worker_processes 1;
		daemon off;
		pid /mnt/state/nginx.pid;
		error_log /mnt/state/error.log;
		events { }
		http {
		        include /etc/nginx/mime.types;
		        default_type application/octet-stream;
		        log_format fields '\$msec\t\$request_method\t\$uri\t\$status\t\$body_bytes_sent'
		                '\t\$http_range\t\$http_if_none_match\t\$http_if_modified_since';
		        access_log /mnt/state/access.log fields;
		        client_body_temp_path /mnt/tmp;
		        proxy_temp_path /mnt/tmp;
		        fastcgi_temp_path /mnt/tmp;
		        uwsgi_temp_path /mnt/tmp;
		        scgi_temp_path /mnt/tmp;
		        sendfile on;
		        server {
		                listen 127.0.0.1:$1;
		                root /mnt/repository;
		                location = /.ready-$2 { access_log off; return 204; }
		        }
		}
	CONF
}

# Runs in a mount namespace of its own, which ends with the server; becomes nginx.
serve() { # root repository
        mount -t tmpfs -o mode=755 tmpfs "$1/mnt"
        mkdir "$1"/mnt/{repository,state,tmp}
        mount --bind "$2" "$1/mnt/repository"
        mount -o remount,bind,ro "$1/mnt/repository"
        mount --bind "$state" "$1/mnt/state"
        mount --bind /dev "$1/dev"
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" \
                nginx -e /mnt/state/error.log -c /mnt/state/nginx.conf
}

wait_ready() { # url
        local end=$((SECONDS + start_seconds))
        until curl -fs --noproxy '*' --max-time 2 -o /dev/null "$1"; do
                alive server && ((SECONDS < end)) || return 1
                sleep 0.05
        done
}

# The one worker would outlive a server that was killed.
record_worker() {
        local server worker
        server=$(< "$state/server")
        # The file ends without a newline, which read takes for a failure.
        read -r worker _ < "/proc/$server/task/$server/children" || true
        [[ -z $worker ]] || record worker "$worker"
}

stop() {
        local role
        signal server TERM
        wait_gone server 5 || say "the server did not stop: ending it"
        for role in server worker; do
                signal "$role" KILL
                wait_gone "$role" 5 || die "the $role does not go away"
        done
        rm -f "$state"/{server,worker}{,.start} "$state/nginx.pid"
}

start() { # root repository port
        local root repository token=$RANDOM$RANDOM
        root=$(realpath -e "$1")
        repository=$(realpath -e "$2")
        [[ -x $root/usr/sbin/nginx ]] || die "no nginx in '$root'"
        ! alive server || die "a server with the state '$state' is already running"
        # Another server on this port would not know the token.
        write_config "$3" "$token"
        # All of these replace themselves in place: $! becomes nginx.
        setsid unshare -m --propagation private "$here/web-server.sh" serve \
                "$root" "$repository" "$state" < /dev/null > "$state/output.log" 2>&1 &
        record server $!
        if ! wait_ready "http://127.0.0.1:$3/.ready-$token"; then
                tail -n 10 "$state/output.log" >&2
                stop
                die "the web server does not answer on port $3"
        fi
        record_worker
}

case ${1:-}/$# in
start/5) state=$5 ;;
serve/4) state=$4 ;;    # internal: the second half of start
stop/2)
        state=$2
        [[ -d $state ]] || exit 0
        ;;
*)
        sed -n '5,6s/^# *//p' "$0" >&2
        exit 2
        ;;
esac
mkdir -p "$state"
state=$(realpath "$state")
"$1" "${@:2:3}"
