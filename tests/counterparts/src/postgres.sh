# Runs one private PostgreSQL server in the folder $1 with the programs in $2 on port $3, until
# standard input ends. A test process that dies, however it dies, closes that end; so the server
# never outlives it. $4: on or off, whether the server waits for the disk. $5: the same for whether it takes
# dead rows away by itself. $6: the address on which it listens. $7: the port on 127.0.0.1 of the server that it follows
# as a standby; empty if it follows none.
#
# On standard input come words, each answered with `done`: `kill` ends every part of the server as SIGKILL
# does, `stop` ends it in an orderly way, `start` starts it again on the same port and data, `promote` lets a standby
# follow nobody any more.
set -eu
folder=$1 programs=$2 port=$3 sync=$4 vacuum=$5 address=$6 primary=$7
cd "$folder"
trap 'cd / && rm -rf "$folder"' EXIT
# PostgreSQL refuses to be run by root. Who is root only in a namespace of their own is somebody else in one more.
case "$(id -u) $(tr -s ' ' </proc/self/uid_map)" in
    '0  0 '*' 1') user=mapped ;;
    '0 '*) user=root ;;
    *) user=other ;;
esac
as() {
    case "$user" in
        root) setpriv --reuid postgres --regid postgres --init-groups "$@" ;;
        mapped) unshare --user --map-user=65534 --map-group=65534 -- "$@" ;;
        other) "$@" ;;
    esac
}
start() {
    as "$programs/pg_ctl" -w -D "$folder/data" -l "$folder/data/log" start >/dev/null 2>&1 -o "-p $port -k '$folder' \
        -c listen_addresses=$address -c fsync=$sync -c synchronous_commit=$sync -c full_page_writes=$sync \
        -c max_connections=200 -c autovacuum=$vacuum"
}
# Whether none of these processes does anything any more; one that nobody has asked after counts as gone.
gone() {
    for process in "$@"; do
        case "$(sed 's/.*) //' "/proc/$process/stat" 2>/dev/null)" in '' | Z* | X*) ;; *) return 1 ;; esac
    done
}
if [ "$user" = root ]; then chown postgres "$folder"; fi
if [ -n "$primary" ]; then
    # The name by which the primary knows it goes into its configuration with the rest.
    as "$programs/pg_basebackup" -d "host=127.0.0.1 port=$primary user=postgres application_name=standby" \
        -D "$folder/data" --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync \
        >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log"; exit 1; }
else
    # A collation of a language, as many servers have, so that a text ordered by it is found out.
    as "$programs/initdb" -D "$folder/data" -U postgres --auth trust -E UTF8 --no-sync --locale C.UTF-8 \
        --locale-provider icu --icu-locale en-US >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log"; exit 1; }
fi
if [ "$address" != 127.0.0.1 ]; then echo 'host all all all trust' >>"$folder/data/pg_hba.conf"; fi
start || { cat "$folder/data/log"; exit 1; }
echo ready
while read -r word; do
    case "$word" in
        kill)
            server=$(head -n 1 "$folder/data/postmaster.pid")
            # Stopped first, so that it makes no more processes while they are counted.
            kill -STOP "$server"
            all="$server $(cat "/proc/$server/task/$server/children")"
            # shellcheck disable=SC2086
            kill -KILL $all 2>/dev/null || true
            # shellcheck disable=SC2086
            until gone $all; do sleep 0.02; done
            # What it would find stale by itself, unless its number has gone to another process.
            rm -f "$folder/data/postmaster.pid" "$folder/.s.PGSQL.$port" "$folder/.s.PGSQL.$port.lock"
            ;;
        stop) as "$programs/pg_ctl" -w -m fast -D "$folder/data" stop >/dev/null ;;
        start) start || { cat "$folder/data/log"; exit 1; } ;;
        promote) as "$programs/pg_ctl" -w -D "$folder/data" promote >/dev/null || { cat "$folder/data/log"; exit 1; } ;;
    esac
    echo done
done
if [ -e "$folder/data/postmaster.pid" ]; then
    as "$programs/pg_ctl" -w -m immediate -D "$folder/data" stop >/dev/null
fi
